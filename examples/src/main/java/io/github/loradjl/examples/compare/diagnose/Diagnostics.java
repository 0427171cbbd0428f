package io.github.loradjl.examples.compare.diagnose;

import ai.djl.MalformedModelException;
import ai.djl.engine.EngineException;

import io.github.loradjl.examples.compare.JsonFiles;
import io.github.loradjl.examples.compare.Method;
import io.github.loradjl.examples.compare.Setup;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;

/** Looks behind a comparison. What was found is kept in a file each, and not looked for again. */
public final class Diagnostics {

    private static final int ALIGNED_STEPS = 50;

    private final Setup setup;
    private final List<Method> methods;
    private final double rate;
    private final JsonFiles store;

    /** What can be looked at. */
    public enum Kind {
        /** Singular values of the gradient. */
        SPECTRA,
        /** Steps of adapters beside those of full fine-tuning. */
        ALIGNMENT,
        /** The size of LoRA-GA's branch as layers and ranks grow; no model is needed. */
        MOMENTS;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Creates diagnostics.
     *
     * @param setup what the runs of the comparison have in common
     * @param methods its methods
     * @param rate the rate at which steps are compared
     * @param folder where to keep what is found
     */
    public Diagnostics(Setup setup, List<Method> methods, double rate, Path folder) {
        this.setup = setup;
        this.methods = methods.stream().filter(m -> m.kind() != Method.Kind.FULL).toList();
        this.rate = rate;
        store = new JsonFiles(folder);
    }

    /**
     * Looks. What cannot be found is told where it would stand.
     *
     * @param kinds at what
     * @param title the model
     * @param plots the folder for plots
     * @param listener told what is being looked at
     * @return what was found, as Markdown with the plots
     * @throws IOException if a file cannot be read or written
     * @throws MalformedModelException if the model is broken
     */
    public String run(List<Kind> kinds, String title, Path plots, Consumer<String> listener)
            throws IOException, MalformedModelException {
        List<String> texts = new ArrayList<>();
        for (Kind kind : kinds) {
            try {
                Diagnosis found = find(kind, listener);
                StringBuilder text = new StringBuilder(found.markdown());
                for (String plot : found.plot(plots, title)) {
                    text.append("\n![").append(plot).append("](").append(plot).append(")\n");
                }
                texts.add(text.toString());
            } catch (CancellationException e) {
                throw e; // An IllegalStateException too, but no finding.
            } catch (IllegalStateException | IllegalArgumentException | EngineException e) {
                texts.add("## No " + kind + "\n\n" + e.getMessage() + "\n");
            }
        }
        return String.join("\n", texts);
    }

    private Diagnosis find(Kind kind, Consumer<String> listener)
            throws IOException, MalformedModelException {
        return switch (kind) {
            case SPECTRA -> find(kind, Spectra.class, () -> Spectra.measure(setup), listener);
            case ALIGNMENT -> {
                int steps = Math.min(ALIGNED_STEPS, setup.recipe().steps());
                yield new AlignmentCurves(setup, rate, steps, store).find(methods, listener);
            }
            case MOMENTS -> find(kind, Moments.class, Moments::measure, listener);
        };
    }

    private <T extends Diagnosis> T find(
            Kind kind, Class<T> type, Measurement<T> measurement, Consumer<String> listener)
            throws IOException, MalformedModelException {
        Optional<T> known = store.find(kind.toString(), type).filter(Diagnosis::isComplete);
        if (known.isPresent()) {
            return known.get();
        }
        listener.accept(kind.toString());
        T found = measurement.make();
        store.save(kind.toString(), found);
        return found;
    }

    private interface Measurement<T> {
        T make() throws IOException, MalformedModelException;
    }
}
