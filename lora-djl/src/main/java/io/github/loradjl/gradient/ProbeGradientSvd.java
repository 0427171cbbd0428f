package io.github.loradjl.gradient;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.GradientKind;
import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;
import io.github.loradjl.staged.StagedTraining;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.BiFunction;

/**
 * Block power iteration on the gradient G of every target at once, without ever forming one.
 *
 * <p>LoRA's own gradients are products with G: with eta = 1,
 *
 * <pre>
 *   dL/dB = G A^T    and    dL/dA = B^T G,
 * </pre>
 *
 * <p>and both are taken at the base model's own function while the other factor is zero. So a
 * temporary adapter of rank q with B = 0 and A = Omega<sup>T</sup> yields G Omega from one ordinary
 * backward pass over the data, and one with A = 0 and B = Q yields Q<sup>T</sup> G:
 *
 * <pre>
 *   Q = orth(G Omega);  repeat: P = orth(G^T Q), Q = orth(G P);  small SVD of Q^T G.
 * </pre>
 *
 * <p>The memory is that of a LoRA step of rank q. The energy of G is estimated from the random
 * projection: the expectation of ||G Omega||<sup>2</sup> is q ||G||<sup>2</sup>.
 *
 * @see <a href="https://arxiv.org/abs/0909.4061">Finding structure with randomness</a>
 */
final class ProbeGradientSvd implements GradientSvd {

    @Override
    public Map<String, GradientFactors> compute(GradientTask task) {
        GradientKind kind = task.init().getGradientKind();
        if (kind != GradientKind.SGD) {
            throw new IllegalArgumentException(
                    "the probe never forms the gradient, and "
                            + kind
                            + " needs the signs of its entries: use the whole-model, serial or"
                            + " layer-by-layer strategy");
        }
        SvdOptions svd = task.init().getSvdOptions();
        if (svd.exact()) {
            throw new IllegalArgumentException(
                    "the probe never forms the gradient and has no exact decomposition: use"
                            + " another strategy or a randomised SVD");
        }
        int passes = 2 + 2 * svd.powerIterations();
        task.begin("Gradients", (long) passes * task.batches().size());
        Map<String, Double> energies = new LinkedHashMap<>();
        Map<String, GradientFactors> factors = new LinkedHashMap<>();
        try (NDManager scope = task.manager().newSubManager();
                GradientMode mode = GradientMode.off()) {
            Map<String, NDArray> products = timesG(task, scope, map(task, this::testMatrix));
            products.forEach((path, y) -> energies.put(path, energy(path, y)));
            Map<String, NDArray> bases = orthonormal(products, scope);
            for (int i = 0; i < svd.powerIterations(); i++) {
                Map<String, NDArray> rows = transposed(transposedTimesG(task, scope, bases));
                bases = orthonormal(timesG(task, scope, orthonormal(rows, scope)), scope);
            }
            Map<String, NDArray> projected = transposedTimesG(task, scope, bases);
            for (String path : task.targets().keySet()) {
                factors.put(
                        path,
                        GradientFactors.of(
                                TruncatedSvd.fromRange(
                                        bases.get(path),
                                        projected.get(path),
                                        task.counts().get(path),
                                        energies.get(path),
                                        task.manager())));
            }
        }
        task.end();
        return factors;
    }

    private static Map<String, NDArray> map(
            GradientTask task, BiFunction<GradientTask, LoraLinear, NDArray> function) {
        Map<String, NDArray> result = new LinkedHashMap<>();
        task.targets().forEach((path, layer) -> result.put(path, function.apply(task, layer)));
        return result;
    }

    private NDArray testMatrix(GradientTask task, LoraLinear layer) {
        String path = layer.getPath();
        SvdOptions svd = task.init().getSvdOptions();
        int q = svd.basisSize(task.counts().get(path), layer.getOut(), layer.getIn());
        return RandomMatrix.normal(
                task.manager(),
                layer.getIn(),
                q,
                1,
                new SplittableRandom(RandomMatrix.seedFor(svd.seed(), path)));
    }

    private static double energy(String path, NDArray y) {
        double energy = TorchOps.squareSum(y) / y.getShape().get(1);
        GradientSum.requireGradient(path, energy);
        return energy;
    }

    /** Computes G X for columns X of shape (n, q), and closes X. */
    private static Map<String, NDArray> timesG(
            GradientTask task, NDManager scope, Map<String, NDArray> columns) {
        return pass(
                task,
                scope,
                columns,
                (layer, x) -> {
                    long q = x.getShape().get(1);
                    NDArray b = scope.zeros(new Shape(layer.getOut(), q));
                    return LowRankUpdate.probeOfB(rows(x, scope), b);
                },
                true);
    }

    /** Computes Q^T G for orthonormal columns Q of shape (m, q), and leaves Q open. */
    private static Map<String, NDArray> transposedTimesG(
            GradientTask task, NDManager scope, Map<String, NDArray> columns) {
        return pass(
                task,
                scope,
                columns,
                (layer, x) -> {
                    long q = x.getShape().get(1);
                    NDArray a = scope.zeros(new Shape(q, layer.getIn()));
                    NDArray b = x.duplicate();
                    b.attach(scope);
                    return LowRankUpdate.probeOfA(a, b);
                },
                false);
    }

    private static NDArray rows(NDArray columns, NDManager scope) {
        NDArray rows;
        try (NDArray view = columns.transpose()) {
            rows = view.duplicate();
        }
        rows.attach(scope);
        columns.close();
        return rows;
    }

    private static Map<String, NDArray> pass(
            GradientTask task,
            NDManager scope,
            Map<String, NDArray> columns,
            BiFunction<LoraLinear, NDArray, LowRankUpdate> newProbe,
            boolean ofB) {
        Map<String, LowRankUpdate> probes = new LinkedHashMap<>();
        try {
            task.targets()
                    .forEach(
                            (path, layer) -> {
                                LowRankUpdate probe = newProbe.apply(layer, columns.get(path));
                                probes.put(path, probe);
                                layer.setProbe(probe);
                            });
            List<Parameter> factors =
                    probes.values().stream()
                            .map(probe -> ofB ? probe.getParameterB() : probe.getParameterA())
                            .toList();
            // As a step of training does, where the block allows it.
            Optional<StagedTraining> recorded =
                    task.stages()
                            .map(stages -> StagedTraining.recorded(stages, () -> factors))
                            .filter(StagedTraining::isPossible);
            for (int b = 0; b < task.batches().size(); b++) {
                try (NDManager owner = scope.newSubManager()) {
                    GroupedGradientSvd.backward(task, b, task.newStore(owner), recorded);
                }
                task.advance();
            }
            Map<String, NDArray> products = new LinkedHashMap<>();
            probes.forEach(
                    (path, probe) -> {
                        NDArray factor = ofB ? probe.getB() : probe.getA();
                        NDArray gradient = TorchOps.gradientOf(factor);
                        if (gradient == null) {
                            throw GradientSum.noGradient(path);
                        }
                        try (gradient) {
                            NDArray product = gradient.div(task.batches().size());
                            product.attach(scope);
                            products.put(path, product);
                        }
                    });
            return products;
        } finally {
            task.targets().values().forEach(layer -> layer.setProbe(null));
            probes.values().forEach(LowRankUpdate::close);
        }
    }

    private static Map<String, NDArray> transposed(Map<String, NDArray> matrices) {
        Map<String, NDArray> result = new LinkedHashMap<>();
        matrices.forEach((path, matrix) -> result.put(path, matrix.transpose()));
        return result;
    }

    private static Map<String, NDArray> orthonormal(
            Map<String, NDArray> matrices, NDManager scope) {
        Map<String, NDArray> result = new LinkedHashMap<>();
        matrices.forEach(
                (path, matrix) -> {
                    result.put(path, TruncatedSvd.orthonormalise(matrix, scope));
                    matrix.close();
                });
        return result;
    }
}
