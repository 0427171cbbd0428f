package io.github.loradjl.examples.compare.diagnose;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.examples.report.Chart;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.InitContext;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraStart;
import io.github.loradjl.init.Scale;
import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;

/**
 * How large the output of LoRA-GA's branch is at the start, and the gradient that it hands down,
 * while a layer and its rank grow: second moments relative to those of what comes in, beside the
 * theory.
 *
 * <p>Theory knows the start by its zeta alone: with orthogonal factors of length c, random inputs x
 * of variance 1 and outputs' gradients of variance 1, E|eta B A x|<sup>2</sup> / m = (zeta /
 * eta)<sup>2</sup> r / m, where zeta = eta<sup>2</sup> c<sup>2</sup>, and (zeta / eta)<sup>2</sup>
 * r / n backward.
 *
 * @param rows a row for each case
 */
public record Moments(List<Row> rows) implements Diagnosis {

    private static final double ALPHA = 16;
    private static final double GAMMA = 16;
    private static final double KAPPA = 1;
    private static final int SAMPLES = 256;
    private static final int[] RANKS = {4, 16, 64};
    private static final int[][] SHAPES = {{256, 256}, {1024, 256}, {256, 1024}, {1024, 1024}};

    /** How the factors are scaled. */
    public enum Start {
        /** c = m^(1/4) / sqrt(gamma). */
        STABLE("stable, gamma 16") {
            @Override
            Scale scale(int outputs, int rank) {
                return Scale.stable(GAMMA);
            }

            @Override
            double zeta(Case of) {
                return of.etaValue() * of.etaValue() * Math.sqrt(of.outputs()) / GAMMA;
            }
        },
        /** The zeta that keeps outputs. */
        ZETA_FORWARD("zeta forward, kappa 1") {
            @Override
            Scale scale(int outputs, int rank) {
                return Scale.zetaForward(KAPPA);
            }

            @Override
            double zeta(Case of) {
                return KAPPA * of.etaValue() * Math.sqrt((double) of.outputs() / of.rank());
            }
        },
        /** The zeta that keeps gradients. */
        ZETA_BACKWARD("zeta backward, kappa 1") {
            @Override
            Scale scale(int outputs, int rank) {
                return Scale.zetaBackward(KAPPA);
            }

            @Override
            double zeta(Case of) {
                return KAPPA * of.etaValue() * Math.sqrt((double) of.inputs() / of.rank());
            }
        },
        /** The short form of the first. */
        ZETA_SHORT("zeta = sqrt(m)/r") {
            @Override
            Scale scale(int outputs, int rank) {
                return Scale.zeta(Math.sqrt(outputs) / rank);
            }

            @Override
            double zeta(Case of) {
                return Math.sqrt(of.outputs()) / of.rank();
            }
        };

        private final String label;

        Start(String label) {
            this.label = label;
        }

        abstract Scale scale(int outputs, int rank);

        /** Returns zeta as it is written down, not as the start under test computes it. */
        abstract double zeta(Case of);
    }

    /** How the update is scaled. */
    public enum Eta {
        /** As in LoRA. */
        BY_RANK("alpha/r"),
        /** As in rank-stabilised LoRA. */
        BY_ROOT("alpha/sqrt(r)");

        private final String label;

        Eta(String label) {
            this.label = label;
        }

        double value(int rank) {
            return ALPHA / (this == BY_RANK ? rank : Math.sqrt(rank));
        }
    }

    /**
     * What is measured.
     *
     * @param start how the factors are scaled
     * @param eta how the update is scaled
     * @param outputs m
     * @param inputs n
     * @param rank r
     */
    public record Case(Start start, Eta eta, int outputs, int inputs, int rank) {

        double etaValue() {
            return eta.value(rank);
        }

        /** Returns the second moment of the output relative to that of the input, by theory. */
        double forward() {
            return square() * rank / outputs;
        }

        /** Returns that of the gradient handed down relative to that received, by theory. */
        double backward() {
            return square() * rank / inputs;
        }

        private double square() {
            double ratio = start.zeta(this) / etaValue();
            return ratio * ratio;
        }

        private String name() {
            return start.label + ", eta " + eta.label;
        }
    }

    /**
     * What was measured.
     *
     * @param of the case
     * @param forward the second moment of the output relative to that of the input
     * @param backward the second moment of the gradient handed down relative to that received
     */
    public record Row(Case of, double forward, double backward) {}

    /** Measures all cases, on random matrices. */
    static Moments measure() {
        List<Row> rows = new ArrayList<>();
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                GradientMode mode = GradientMode.off()) {
            for (Case of : cases()) {
                try (NDManager scope = manager.newSubManager()) {
                    rows.add(measure(scope, of));
                }
            }
        }
        return new Moments(rows);
    }

    private static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (Start start : Start.values()) {
            for (Eta eta : Eta.values()) {
                for (int[] shape : SHAPES) {
                    for (int rank : RANKS) {
                        cases.add(new Case(start, eta, shape[0], shape[1], rank));
                    }
                }
            }
        }
        return cases;
    }

    private static Row measure(NDManager scope, Case of) {
        int m = of.outputs();
        int n = of.inputs();
        double eta = of.etaValue();
        SplittableRandom random = new SplittableRandom(0);
        NDArray gradient = RandomMatrix.normal(scope, m, n, 1, random);
        InitContext context =
                new InitContext(
                        "layer",
                        scope.zeros(new Shape(m, n)),
                        of.rank(),
                        eta,
                        0,
                        scope,
                        GradientFactors.of(
                                TruncatedSvd.compute(
                                        gradient, 2 * of.rank(), SvdOptions.defaults(), scope)));
        Scale scale = of.start().scale(m, of.rank());
        LoraStart start = LoraGaInit.builder().optScale(scale).build().start(context);
        NDArray x = RandomMatrix.normal(scope, SAMPLES, n, 1, random);
        NDArray y = x.matMul(start.a().transpose()).matMul(start.b().transpose()).mul(eta);
        NDArray above = RandomMatrix.normal(scope, SAMPLES, m, 1, random);
        NDArray down = above.matMul(start.b()).matMul(start.a()).mul(eta);
        return new Row(of, moment(y) / moment(x), moment(down) / moment(above));
    }

    private static double moment(NDArray x) {
        return TorchOps.squareSum(x) / x.size();
    }

    /** {@inheritDoc} */
    @Override
    public boolean isComplete() {
        return rows.stream().map(Row::of).toList().equals(cases());
    }

    /** {@inheritDoc} */
    @Override
    public List<String> plot(Path folder, String title) throws IOException {
        plot(folder, "moments-forward.png", "output", Row::forward);
        plot(folder, "moments-backward.png", "gradient handed down", Row::backward);
        return List.of("moments-forward.png", "moments-backward.png");
    }

    /** Draws one of the shapes whose sides differ, so that forward is not backward. */
    private void plot(Path folder, String file, String what, ToDoubleFunction<Row> moment)
            throws IOException {
        Chart chart =
                new Chart(
                                "LoRA-GA's branch at the start, m = 1024, n = 256",
                                "rank",
                                "second moment, " + what)
                        .logarithmicX()
                        .logarithmicY()
                        .legendOutside();
        for (String name : rows.stream().map(row -> row.of().name()).distinct().toList()) {
            List<Row> line =
                    rows.stream()
                            .filter(row -> row.of().name().equals(name))
                            .filter(row -> row.of().outputs() == 1024 && row.of().inputs() == 256)
                            .toList();
            chart.line(
                    name,
                    line.stream().mapToDouble(row -> row.of().rank()).toArray(),
                    line.stream().mapToDouble(moment).toArray());
        }
        chart.write(folder.resolve(file));
    }

    /** {@inheritDoc} */
    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Moments of LoRA-GA's branch at the start\n\n");
        text.append("Second moments relative to those of what comes in, measured on ");
        text.append(SAMPLES).append(" random rows (theory in brackets); alpha 16.\n\n");
        text.append("| scale | eta | m | n | r | forward | backward |\n");
        text.append("|---|---|---|---|---|---|---|\n");
        for (Row row : rows) {
            Case of = row.of();
            text.append(
                    String.format(
                            Locale.ROOT,
                            "| %s | %s | %d | %d | %d | %.3g (%.3g) | %.3g (%.3g) |\n",
                            of.start().label,
                            of.eta().label,
                            of.outputs(),
                            of.inputs(),
                            of.rank(),
                            row.forward(),
                            of.forward(),
                            row.backward(),
                            of.backward()));
        }
        return text.toString();
    }
}
