package io.github.loradjl.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;

import io.github.loradjl.linalg.RandomMatrix;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** What holds for all operations: threads, memory, names, owners and gradient modes. */
class TorchOpsTest {

    private NDManager manager;
    private SplittableRandom random;

    @BeforeEach
    void setUp() {
        manager = NDManager.newBaseManager();
        random = new SplittableRandom(25);
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    private NDArray normal(long... dims) {
        Shape shape = new Shape(dims);
        return RandomMatrix.normal(manager, 1, shape.size(), 1, random).reshape(shape);
    }

    /** A small network of most operations: embedding to loss. */
    private final class Network {

        private final NDArray ids = manager.create(new long[] {3, 1, 4, 1, 5, 2}, new Shape(2, 3));
        private final NDArray labels =
                manager.create(new long[] {3, 1, 4, 1, -100, 2}, new Shape(2, 3));
        private final NDArray mask = manager.ones(new Shape(1, 1, 3, 3)).gt(0);
        private final NDArray table;
        private final NDArray norm;
        private final NDArray weight;
        private final NDArray gate;
        private final NDArray cos;
        private final NDArray sin;
        private final NDArray a = normal(2, 8);
        private final NDArray b = normal(8, 2);
        private final NDArray a0 = normal(2, 8);

        Network(boolean narrow) {
            Function<NDArray, NDArray> typed = narrow ? TorchOps::toBfloat16 : x -> x;
            table = typed.apply(normal(7, 8));
            norm = typed.apply(normal(8));
            weight = typed.apply(normal(8, 8));
            gate = typed.apply(normal(8, 8));
            cos = typed.apply(normal(1, 1, 3, 4));
            sin = typed.apply(normal(1, 1, 3, 4));
        }

        NDArray loss() {
            NDArray x = TorchOps.embedding(table, ids);
            NDArray h = TorchOps.rmsNorm(x, norm, 1e-5f);
            NDArray q = TorchOps.loraLinear(h, weight, a, b, 0.5);
            q = q.reshape(2, 3, 2, 4).transpose(0, 2, 1, 3);
            NDArray turned = TorchOps.rotary(q, cos, sin);
            NDArray causal = TorchOps.causalAttention(turned, turned, q);
            NDArray masked = TorchOps.attention(causal, turned, q, mask);
            NDArray back = masked.transpose(0, 2, 1, 3).reshape(2, 3, 8);
            NDArray up = TorchOps.linear(back, weight);
            NDArray down = TorchOps.siluProduct(TorchOps.linear(back, gate), up);
            NDArray adapted = TorchOps.addLora(down, back, a, b, 0.5);
            NDArray shifted = TorchOps.addLoraDifference(adapted, back, a, b, a0, b, 0.5);
            NDList rows = TorchOps.nextTokenRows(shifted, labels);
            return TorchOps.crossEntropy(rows.get(0), rows.get(1));
        }
    }

    private static <T> List<T> inThreads(int count, Callable<T> task)
            throws InterruptedException, ExecutionException {
        ExecutorService pool = Executors.newFixedThreadPool(count);
        CyclicBarrier together = new CyclicBarrier(count);
        try {
            List<Future<T>> futures = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                futures.add(
                        pool.submit(
                                () -> {
                                    together.await(30, TimeUnit.SECONDS);
                                    return task.call();
                                }));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        } finally {
            pool.shutdownNow();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void forward_fromEightThreadsManyTimes_isAlwaysTheSameToTheLastBit(boolean narrow)
            throws Exception {
        Network network = new Network(narrow);
        float expected = network.loss().toFloatArray()[0];
        assertThat(expected).isFinite();
        List<List<Float>> results =
                inThreads(
                        8,
                        () -> {
                            List<Float> losses = new ArrayList<>();
                            try (GradientMode mode = GradientMode.off()) {
                                // Beyond the calls after which TorchScript would rewrite a graph.
                                for (int i = 0; i < 10; i++) {
                                    losses.add(network.loss().toFloatArray()[0]);
                                }
                            }
                            return losses;
                        });
        assertThat(results).allSatisfy(losses -> assertThat(losses).containsOnly(expected));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradients_fromAThreadThatDidNotStartTheEngine_areTheSame(boolean narrow) throws Exception {
        Network network = new Network(narrow);
        network.a.setRequiresGradient(true);
        network.b.setRequiresGradient(true);
        List<byte[]> here = gradients(network);
        network.a.getGradient().muli(0);
        network.b.getGradient().muli(0);
        List<byte[]> there = inThreads(1, () -> gradients(network)).get(0);
        assertThat(there.get(0)).isEqualTo(here.get(0));
        assertThat(there.get(1)).isEqualTo(here.get(1));
        assertThat(TorchOps.squareSum(network.a.getGradient())).isPositive();
        assertThat(TorchOps.squareSum(network.b.getGradient())).isPositive();
    }

    private List<byte[]> gradients(Network network) {
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            collector.backward(network.loss());
        }
        return List.of(
                network.a.getGradient().toByteArray(), network.b.getGradient().toByteArray());
    }

    @Test
    void forward_inANewThread_recordsUnlessModeIsOff() throws Exception {
        NDArray x = normal(2, 3);
        x.setRequiresGradient(true);
        Callable<NDArray> forward = () -> TorchOps.siluProduct(x, x);
        Callable<NDArray> off =
                () -> {
                    try (GradientMode mode = GradientMode.off()) {
                        return forward.call();
                    }
                };
        NDArray recorded = inThreads(1, forward).get(0);
        NDArray plain = inThreads(1, off).get(0);
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            collector.backward(recorded.sum());
            assertThat(TorchOps.squareSum(x.getGradient())).isPositive();
            assertThatThrownBy(() -> collector.backward(plain.sum()))
                    .hasMessageContaining("does not require grad");
        }
    }

    @Test
    void gradientMode_isRestored() {
        boolean before = GradientMode.isOn();
        try (GradientMode on = GradientMode.on()) {
            assertThat(GradientMode.isOn()).isTrue();
            try (GradientMode off = GradientMode.off()) {
                assertThat(GradientMode.isOn()).isFalse();
            }
            assertThat(GradientMode.isOn()).isTrue();
        }
        assertThat(GradientMode.isOn()).isEqualTo(before);
    }

    @Test
    void results_outsideACollector_canTakePartInABackwardPass() {
        // A weight prepared beforehand, as on loading: an inference tensor could not be saved.
        NDArray weight = TorchOps.toBfloat16(normal(4, 6));
        NDArray x = TorchOps.toBfloat16(normal(2, 6));
        x.setRequiresGradient(true);
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            collector.backward(TorchOps.toFloat32(TorchOps.linear(x, weight)).sum());
        }
        assertThat(TorchOps.squareSum(x.getGradient())).isPositive();
    }

    @Test
    void inputs_namedLikeCheckpointTensors_work() {
        NDArray x = normal(2, 3);
        NDArray weight = normal(4, 3);
        NDArray expected = TorchOps.linear(x, weight);
        x.setName("model.layers.0.input");
        weight.setName("model.layers.0.self_attn.q_proj.weight");
        assertThat(TorchOps.linear(x, weight)).isEqualTo(expected);
    }

    @Test
    void results_belongToTheManagerOfTheFirstArgument() {
        NDArray weight = normal(4, 3);
        try (NDManager batch = manager.newSubManager()) {
            NDArray x = batch.ones(new Shape(2, 3));
            assertThat(TorchOps.linear(x, weight).getManager()).isSameAs(batch);
            assertThat(TorchOps.linear(weight, weight).getManager()).isSameAs(manager);
        }
    }

    @Test
    void zeroGradient_clearsIt() {
        NDArray x = manager.create(new float[] {1, 2});
        x.setRequiresGradient(true);
        TorchOps.zeroGradient(x);
        for (int i = 0; i < 2; i++) {
            try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
                collector.backward(x.add(x).add(x).sum());
            }
            assertThat(x.getGradient().toFloatArray()).containsExactly(3, 3);
            TorchOps.zeroGradient(x);
            assertThat(x.getGradient().toFloatArray()).containsExactly(0, 0);
        }
    }

    @Test
    void backward_whileACollectorIsOpen_addsToTheGradients() {
        NDArray x = manager.create(new float[] {1, 2});
        NDArray untouched = manager.create(new float[] {1});
        x.setRequiresGradient(true);
        untouched.setRequiresGradient(true);
        assertThat(TorchOps.gradientOf(x)).isNull();
        try (GradientCollector collector = manager.getEngine().newGradientCollector()) {
            TorchOps.backward(x.square().sum());
            assertThat(TorchOps.gradientOf(x).toFloatArray()).containsExactly(2, 4);
            collector.backward(x.sum());
        }
        assertThat(TorchOps.gradientOf(x).toFloatArray()).containsExactly(3, 5);
        assertThat(TorchOps.gradientOf(untouched)).isNull();
    }

    @Test
    void seed_repeatsTheEnginesDraws() {
        TorchOps.seed(9);
        NDArray first = manager.randomNormal(new Shape(4));
        TorchOps.seed(9);
        assertThat(manager.randomNormal(new Shape(4))).isEqualTo(first);
        assertThat(manager.randomNormal(new Shape(4))).isNotEqualTo(first);
    }

    @Test
    void calls_hundredOfEach_leaveNoLiveArrays() {
        NDManager system = manager.getParentManager();
        for (Map.Entry<String, Runnable> operation : operations().entrySet()) {
            // The first call of all loads the module and keeps its method's name.
            operation.getValue().run();
            int before = system.getManagedArrays().size();
            for (int i = 0; i < 100; i++) {
                operation.getValue().run();
            }
            assertThat(system.getManagedArrays()).as(operation.getKey()).hasSize(before);
        }
    }

    private static void close(NDArray result) {
        result.close();
    }

    /** Every operation, its results closed. */
    private Map<String, Runnable> operations() {
        NDArray x = normal(6, 4);
        NDArray y = normal(6, 4);
        NDArray narrow = TorchOps.toBfloat16(x);
        NDArray bytes = TorchOps.bfloat16AsBytes(narrow);
        NDArray heads = normal(1, 2, 3, 4);
        NDArray mask = manager.ones(new Shape(1, 1, 3, 3)).gt(0);
        NDArray norm = normal(4);
        NDArray cos = normal(1, 1, 3, 4);
        NDArray labels = manager.create(new long[] {0, 1, 2, 3, -100, 0});
        NDArray kept = labels.maximum(0);
        NDArray rowsOfLabels = labels.reshape(2, 3);
        NDArray ids = manager.create(new long[] {0, 5, 2});
        NDArray hidden = x.reshape(2, 3, 4);
        NDArray weight = normal(5, 4);
        NDArray a = normal(2, 4);
        NDArray b = normal(5, 2);
        NDArray z = normal(6, 5);
        NDArray cache = manager.zeros(new Shape(1, 2, 8, 4));
        NDArray mean = manager.zeros(new Shape(6, 4));
        NDArray square = manager.zeros(new Shape(6, 4));
        NDArray hyper = manager.create(new double[] {1e-9, 0.9, 0.99, 1e-8, 0, 1, 1});
        NDArray leaf = normal(3);
        leaf.setRequiresGradient(true);

        Map<String, Runnable> all = new LinkedHashMap<>();
        all.put("svd", () -> TorchOps.svd(x).close());
        all.put("qr", () -> TorchOps.qr(x).close());
        all.put("toFloat32", () -> close(TorchOps.toFloat32(narrow)));
        all.put("toFloat16", () -> close(TorchOps.toFloat16(x)));
        all.put("toBfloat16", () -> close(TorchOps.toBfloat16(x)));
        all.put("toTypeOf", () -> close(TorchOps.toTypeOf(x, narrow)));
        all.put("bytesAsBfloat16", () -> close(TorchOps.bytesAsBfloat16(bytes)));
        all.put("bfloat16AsBytes", () -> close(TorchOps.bfloat16AsBytes(narrow)));
        all.put("elementSize", () -> TorchOps.elementSize(x));
        all.put("causalAttention", () -> close(TorchOps.causalAttention(heads, heads, heads)));
        all.put("attention", () -> close(TorchOps.attention(heads, heads, heads, mask)));
        all.put("fullAttention", () -> close(TorchOps.attention(heads, heads, heads, null)));
        NDArray keys = manager.ones(new Shape(1, 1, 1, 3)).gt(0);
        all.put("keyAttention", () -> close(TorchOps.attention(heads, heads, heads, keys)));
        NDArray numbers = manager.zeros(new Shape(1, 1, 1, 3));
        NDArray table = normal(7, 2);
        NDArray buckets = kept.reshape(2, 3);
        all.put(
                "biasedAttention",
                () -> close(TorchOps.biasedAttention(heads, heads, heads, numbers, 0.1)));
        all.put(
                "plainAttention",
                () -> close(TorchOps.biasedAttention(heads, heads, heads, null, 0)));
        all.put("positionBias", () -> close(TorchOps.positionBias(table, buckets)));
        all.put("hide", () -> close(TorchOps.hide(numbers, keys)));
        all.put("scale", () -> close(TorchOps.scale(x, 0.5)));
        all.put("rmsNorm", () -> close(TorchOps.rmsNorm(x, norm, 1e-5f)));
        all.put("siluProduct", () -> close(TorchOps.siluProduct(x, y)));
        all.put("geluProduct", () -> close(TorchOps.geluProduct(x, y)));
        all.put("rotary", () -> close(TorchOps.rotary(heads, cos, cos)));
        all.put("crossEntropy", () -> close(TorchOps.crossEntropy(x, labels)));
        all.put("crossEntropyEach", () -> close(TorchOps.crossEntropyEach(x, labels)));
        all.put("crossEntropySum", () -> close(TorchOps.crossEntropySum(x, labels)));
        all.put("requiresGradient", () -> TorchOps.requiresGradient(x));
        all.put("crossEntropyGradient", () -> TorchOps.crossEntropyGradient(x, kept).close());
        all.put("countLargest", () -> close(TorchOps.countLargest(x, kept)));
        all.put(
                "withGradient",
                () -> {
                    try (NDArray value = manager.create(1f)) {
                        TorchOps.withGradient(x, value, y).close();
                    }
                });
        all.put("nextTokenRows", () -> TorchOps.nextTokenRows(hidden, rowsOfLabels).close());
        all.put("labelledRows", () -> TorchOps.labelledRows(hidden, rowsOfLabels).close());
        all.put("embedding", () -> close(TorchOps.embedding(y, ids)));
        all.put("takeRows", () -> close(TorchOps.takeRows(narrow, ids)));
        all.put("linear", () -> close(TorchOps.linear(x, weight)));
        all.put("loraLinear", () -> close(TorchOps.loraLinear(x, weight, a, b, 2)));
        all.put("addLora", () -> close(TorchOps.addLora(z, x, a, b, 2)));
        all.put("addLoraDifference", () -> close(TorchOps.addLoraDifference(z, x, a, b, a, b, 2)));
        all.put("dropout", () -> close(TorchOps.dropout(x, 0.1)));
        all.put("inner", () -> close(TorchOps.inner(x, y)));
        all.put("squareSum", () -> TorchOps.squareSum(x));
        all.put("globalNorm", () -> TorchOps.globalNorm(List.of(x, y)));
        all.put("scaleAll", () -> TorchOps.scaleAll(List.of(mean, square), 1));
        all.put("adamw", () -> TorchOps.adamw(y, x, mean, square, hyper));
        all.put("zeroGradient", () -> TorchOps.zeroGradient(leaf));
        all.put("writeAt", () -> TorchOps.writeAt(cache, heads, 2));
        all.put("readTo", () -> close(TorchOps.readTo(cache, 5)));
        NDArray pair = manager.zeros(new Shape(3));
        NDArray triple = normal(3);
        all.put("copyInto", () -> TorchOps.copyInto(pair, triple));
        all.put("seed", () -> TorchOps.seed(1));
        all.put("aliases", () -> TorchOps.aliases(new NDList(x, y), manager).close());
        all.put(
                "backward",
                () -> {
                    try (GradientMode mode = GradientMode.on();
                            NDArray loss = leaf.sum()) {
                        TorchOps.backward(loss);
                    }
                });
        all.put("gradientOf", () -> close(TorchOps.gradientOf(leaf)));
        all.put("floats", () -> close(TorchOps.floats(manager, new float[] {1, 2}, new Shape(2))));
        NDArray queries = normal(6, 2, 4);
        NDArray lengths = manager.create(new long[] {2, 4});
        all.put(
                "textAttention",
                () -> close(TorchOps.textAttention(queries, queries, queries, lengths)));
        all.put("spreadRows", () -> close(TorchOps.spreadRows(x, rowsOfLabels)));
        all.put("alias", () -> close(TorchOps.alias(x, manager)));
        all.put("longs", () -> close(TorchOps.longs(manager, new long[] {1, 2}, new Shape(2))));
        all.put("zerosLike", () -> close(TorchOps.zerosLike(manager, new Shape(2), narrow)));
        return all;
    }

    @Test
    void operations_areAllThere() {
        // So that an operation added to the class joins the memory test above.
        List<String> tested =
                operations().keySet().stream()
                        .filter(
                                n ->
                                        !List.of("fullAttention", "keyAttention", "plainAttention")
                                                .contains(n))
                        .toList();
        List<String> offered =
                Arrays.stream(TorchOps.class.getDeclaredMethods())
                        .filter(m -> Modifier.isPublic(m.getModifiers()))
                        .map(Method::getName)
                        .distinct()
                        .toList();
        assertThat(tested)
                .as("operations() has to list every public operation")
                .containsExactlyInAnyOrderElementsOf(offered);
    }
}
