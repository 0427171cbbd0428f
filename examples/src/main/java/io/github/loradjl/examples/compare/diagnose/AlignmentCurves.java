package io.github.loradjl.examples.compare.diagnose;

import ai.djl.MalformedModelException;
import ai.djl.engine.EngineException;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import ai.djl.training.tracker.Tracker;

import io.github.loradjl.examples.compare.JsonFiles;
import io.github.loradjl.examples.compare.Method;
import io.github.loradjl.examples.compare.Setup;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Trains methods beside full fine-tuning, by SGD and by AdamW. Curves that were measured before at
 * the same rate over the same steps are taken from their files.
 */
final class AlignmentCurves {

    /** So that LoRA-GA, whose steps are zeta times those of full fine-tuning, stays stable too. */
    private static final double SGD_RATE = 0.01;

    private final Setup setup;
    private final int steps;
    private final JsonFiles store;
    private final List<Way> ways;

    /** An optimizer at a rate. */
    private record Way(String name, double rate, Function<ParameterTracker, Optimizer> make) {}

    /**
     * Creates a series.
     *
     * @param rate the rate of AdamW
     * @param steps the steps of each training
     * @param store where curves are kept
     */
    AlignmentCurves(Setup setup, double rate, int steps, JsonFiles store) {
        this.setup = setup;
        this.steps = steps;
        this.store = store;
        ways =
                List.of(
                        new Way(
                                Alignment.SGD,
                                SGD_RATE,
                                rates -> Optimizer.sgd().setLearningRateTracker(rates).build()),
                        new Way(
                                Alignment.ADAM_W,
                                rate,
                                rates ->
                                        setup.recipe()
                                                .optimizer()
                                                .get()
                                                .optLearningRateTracker(rates)
                                                .build()));
    }

    /**
     * Returns the curves of methods, measured where none is kept.
     *
     * @param methods methods with adapters
     * @param listener told what is measured
     */
    Alignment find(List<Method> methods, Consumer<String> listener)
            throws IOException, MalformedModelException {
        List<Alignment.Curve> curves = new ArrayList<>();
        for (Method method : methods) {
            for (Way way : ways) {
                curves.add(find(method, way, listener));
            }
        }
        return new Alignment(curves);
    }

    private Alignment.Curve find(Method method, Way way, Consumer<String> listener)
            throws IOException, MalformedModelException {
        String name = "alignment@" + method.label() + "@" + way.name().toLowerCase(Locale.ROOT);
        Optional<Alignment.Curve> known =
                store.find(name, Alignment.Curve.class)
                        .filter(curve -> curve.rate() == way.rate() && curve.steps() == steps);
        if (known.isPresent()) {
            return known.get();
        }
        listener.accept("alignment of " + method.label() + " by " + way.name());
        Alignment.Curve curve = measure(method, way);
        store.save(name, curve);
        return curve;
    }

    /** A method that the model cannot take, and a training that diverges, are results too. */
    private Alignment.Curve measure(Method method, Way way)
            throws IOException, MalformedModelException {
        Alignment.Curve curve =
                Alignment.Curve.begun(method.label(), way.name(), way.rate(), steps);
        Tracker rate = Tracker.fixed((float) way.rate());
        AlignmentRun run = new AlignmentRun(setup, method, way.make(), rate, curve);
        String failure = null;
        try {
            run.run(steps);
        } catch (CancellationException e) {
            throw e; // An IllegalStateException too, but no result.
        } catch (IllegalStateException | IllegalArgumentException | EngineException e) {
            failure = Objects.requireNonNullElse(e.getMessage(), e.toString());
        }
        return curve.ended(failure, run.rank(), run.bound());
    }
}
