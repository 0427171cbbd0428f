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

/**
 * How large the output of LoRA-GA's branch is at the start, and the gradient that it hands down,
 * while a layer and its rank grow: second moments relative to those of what comes in, beside the
 * theory.
 *
 * <p>With orthogonal factors of length c, random inputs x of variance 1 and outputs' gradients of
 * variance 1, E|eta B A x|<sup>2</sup> / m = eta<sup>2</sup> c<sup>4</sup> r / m = (zeta /
 * eta)<sup>2</sup> r / m with zeta = eta<sup>2</sup> c<sup>2</sup>, and (zeta / eta)<sup>2</sup> r
 * / n backward.
 *
 * @param rows a row for each case
 */
public record Moments(List<Row> rows) implements Diagnosis {

    private static final double ALPHA = 16;
    private static final int SAMPLES = 256;
    private static final int[] RANKS = {4, 16, 64};
    private static final int[][] SHAPES = {{256, 256}, {1024, 256}, {256, 1024}, {1024, 1024}};

    /**
     * One case.
     *
     * @param scale how the factors are scaled
     * @param eta how the update is scaled
     * @param outputs m
     * @param inputs n
     * @param rank r
     * @param forward the second moment of the output relative to that of the input
     * @param forwardTheory what theory says
     * @param backward the second moment of the gradient handed down relative to that received
     * @param backwardTheory what theory says
     */
    public record Row(
            String scale,
            String eta,
            int outputs,
            int inputs,
            int rank,
            double forward,
            double forwardTheory,
            double backward,
            double backwardTheory) {}

    /** Measures all cases, on random matrices. */
    static Moments measure() {
        List<Row> rows = new ArrayList<>();
        try (GradientMode mode = GradientMode.off();
                NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            for (boolean stabilized : new boolean[] {false, true}) {
                rows.addAll(measure(manager, "stable, gamma 16", Scale.stable(16), stabilized));
            }
            rows.addAll(measure(manager, "zeta forward, kappa 1", Scale.zetaForward(1), true));
            rows.addAll(measure(manager, "zeta backward, kappa 1", Scale.zetaBackward(1), true));
        }
        return new Moments(rows);
    }

    private static List<Row> measure(
            NDManager manager, String name, Scale scale, boolean stabilized) {
        List<Row> rows = new ArrayList<>();
        for (int[] shape : SHAPES) {
            for (int rank : RANKS) {
                double eta = ALPHA / (stabilized ? Math.sqrt(rank) : rank);
                String etaName = stabilized ? "alpha/sqrt(r)" : "alpha/r";
                try (NDManager scope = manager.newSubManager()) {
                    rows.add(measure(scope, name, scale, etaName, eta, shape[0], shape[1], rank));
                }
            }
        }
        return rows;
    }

    private static Row measure(
            NDManager scope,
            String name,
            Scale scale,
            String etaName,
            double eta,
            int m,
            int n,
            int rank) {
        SplittableRandom random = new SplittableRandom(0);
        NDArray gradient = RandomMatrix.normal(scope, m, n, 1, random);
        InitContext context =
                new InitContext(
                        "layer",
                        scope.zeros(new Shape(m, n)),
                        rank,
                        eta,
                        0,
                        scope,
                        GradientFactors.of(
                                TruncatedSvd.compute(
                                        gradient, 2 * rank, SvdOptions.defaults(), scope)));
        LoraStart start = LoraGaInit.builder().optScale(scale).build().start(context);
        double c2 = TorchOps.squareSum(start.a()) / rank;
        NDArray x = RandomMatrix.normal(scope, SAMPLES, n, 1, random);
        NDArray y = x.matMul(start.a().transpose()).matMul(start.b().transpose()).mul(eta);
        NDArray above = RandomMatrix.normal(scope, SAMPLES, m, 1, random);
        NDArray down = above.matMul(start.b()).matMul(start.a()).mul(eta);
        double moment = eta * eta * c2 * c2 * rank;
        return new Row(
                name,
                etaName,
                m,
                n,
                rank,
                moment(y) / moment(x),
                moment / m,
                moment(down) / moment(above),
                moment / n);
    }

    private static double moment(NDArray x) {
        return TorchOps.squareSum(x) / x.size();
    }

    /** {@inheritDoc} */
    @Override
    public List<String> plot(Path folder, String title) throws IOException {
        Chart chart =
                new Chart(
                                "Output of LoRA-GA's branch at the start, m = n = 1024",
                                "rank",
                                "second moment, forward")
                        .logarithmicX(2)
                        .logarithmicY()
                        .legendOutside();
        for (String name : rows.stream().map(Moments::name).distinct().toList()) {
            List<Row> line =
                    rows.stream()
                            .filter(row -> name(row).equals(name))
                            .filter(row -> row.outputs() == 1024 && row.inputs() == 1024)
                            .toList();
            chart.line(
                    name,
                    line.stream().mapToDouble(Row::rank).toArray(),
                    line.stream().mapToDouble(Row::forward).toArray(),
                    true);
        }
        chart.write(folder.resolve("moments.png"));
        return List.of("moments.png");
    }

    private static String name(Row row) {
        return row.scale() + ", eta " + row.eta();
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
            text.append(
                    String.format(
                            Locale.ROOT,
                            "| %s | %s | %d | %d | %d | %.3g (%.3g) | %.3g (%.3g) |\n",
                            row.scale(),
                            row.eta(),
                            row.outputs(),
                            row.inputs(),
                            row.rank(),
                            row.forward(),
                            row.forwardTheory(),
                            row.backward(),
                            row.backwardTheory()));
        }
        return text.toString();
    }
}
