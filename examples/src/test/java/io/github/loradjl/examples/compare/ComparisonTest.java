package io.github.loradjl.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.training.FineTuningListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Comparisons without a model, which come as far as they get. */
class ComparisonTest {

    private static final Method FULL = Method.parse("full");

    @TempDir private Path folder;
    private final List<String> heard = new ArrayList<>();

    /** An engine that has no memory for a model that is trained as a whole. */
    private static final class Engine implements Setup.Models {

        @Override
        public ZooModel<NDList, NDList> frozen() {
            return null;
        }

        @Override
        public ZooModel<NDList, NDList> trainable() {
            throw new EngineException("out of memory");
        }
    }

    /** A metric that goes with no model. */
    private static final class Impossible implements Setup.Metric {

        @Override
        public String name() {
            return "impossible";
        }

        @Override
        public void check(Model model) {
            throw new IllegalArgumentException("impossible");
        }

        @Override
        public double measure(Model model) {
            throw new AssertionError("measured what cannot be");
        }
    }

    private final class Listener implements Comparison.Listener {

        @Override
        public void onReady() {
            heard.add("ready");
        }

        @Override
        public void onBegin(Cell cell, int number, int of) {
            heard.add("begin " + number + " of " + of);
        }

        @Override
        public void onStep(int step) {
            heard.add("step");
        }

        @Override
        public void onEnd(Cell cell, CellResult result) {
            heard.add("end");
        }

        @Override
        public void onError(Cell cell, EngineException why) {
            heard.add("error " + cell.seed() + " " + why.getMessage());
        }
    }

    private Setup setup(Setup.Metric metric) {
        return new Setup(new Engine(), null, Results.COMMON, metric, () -> false);
    }

    private Comparison comparison(Setup.Metric metric) {
        Grid grid = new Grid(List.of(FULL), List.of(1e-3), List.of(0, 1, 2));
        return new Comparison(grid, setup(metric), folder);
    }

    @Test
    void runThatTheEngineGivesUp_isTold_andNotKept() throws Exception {
        CellStore store = new CellStore(folder);
        Cell known = new Cell(FULL, 1e-3, 1);
        CellResult result = Results.of("full", 1e-3, 1, 3.0, 2.0, 1.0);
        store.save(known, result);
        assertThat(comparison(null).run(new Listener())).containsExactly(result);
        assertThat(heard)
                .containsExactly(
                        "ready",
                        "begin 1 of 3",
                        "error 0 out of memory",
                        "begin 3 of 3",
                        "error 2 out of memory");
        assertThat(store.find(new Cell(FULL, 1e-3, 0))).isEmpty();
        assertThat(store.find(new Cell(FULL, 1e-3, 2))).isEmpty();
        assertThat(store.find(known)).contains(result);
    }

    @Test
    void metricThatCannotBeMeasured_isToldBeforeTheFirstRun() throws Exception {
        assertThatThrownBy(() -> comparison(new Impossible()).run(new Listener()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("impossible");
        assertThat(heard).isEmpty();
        assertThat(Comparison.isBegun(folder)).isFalse();
    }

    @Test
    void begun_isAComparisonWithAResult() throws Exception {
        assertThat(Comparison.isBegun(folder.resolve("nowhere"))).isFalse();
        new CellStore(folder)
                .save(new Cell(FULL, 1e-3, 0), Results.of("full", 1e-3, 0, 3.0, 2.0, 1.0));
        assertThat(Comparison.isBegun(folder)).isTrue();
    }

    private static FineTuningListener.Step step(int number, double validationLoss) {
        return new FineTuningListener.Step(number, 0.5, 2, 0.5, 1, 10, 10, 0.1, validationLoss);
    }

    @Test
    void validationThatIsNotFinite_endsARun_ifItIsDue() {
        CellRun run = new CellRun(setup(null), new Cell(FULL, 1e-3, 0), number -> {});
        run.onFirstValidation(3);
        run.onStep(step(1, Double.NaN)); // not validated: every second step is
        run.onStep(step(2, 2.5));
        run.onStep(step(3, Double.NaN));
        assertThatThrownBy(() -> run.onStep(step(4, Double.NaN)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the validation loss after step 4 is NaN");
        assertThatThrownBy(() -> run.onStep(step(4, Double.POSITIVE_INFINITY)))
                .hasMessage("the validation loss after step 4 is Infinity");
        assertThatThrownBy(() -> run.onFirstValidation(Double.NaN))
                .hasMessage("the validation loss after step 0 is NaN");
    }
}
