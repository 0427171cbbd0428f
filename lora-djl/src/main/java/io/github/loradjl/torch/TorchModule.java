package io.github.loradjl.torch;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Operations written as the methods of a TorchScript class {@code Ops}, in one or more texts beside
 * this class that are put together and compiled on first use.
 *
 * <p>TorchScript's graph optimizer is switched off in each calling thread, because it changes the
 * rounding of an operation after its first calls.
 */
final class TorchModule {

    static final NDManager MANAGER = newManager();

    private static final ThreadLocal<Boolean> PLAIN_EXECUTOR =
            ThreadLocal.withInitial(
                    () -> {
                        JniUtils.setGraphExecutorOptimize(false);
                        return Boolean.TRUE;
                    });
    private static final Map<String, NDArray> METHODS = new ConcurrentHashMap<>();
    private static final Map<Double, NDArray> SCALARS = new ConcurrentHashMap<>();

    static {
        // The first call of one of MKL's vector functions looks up the processor and writes its
        // type down twice, without a lock, the first time in another numbering. Were it the call
        // for a large array, made by several threads at once, one of them might take a kernel for
        // another processor, and the same run would now and then differ in last digits.
        try (NDArray one = MANAGER.create(1f)) {
            one.exp().close();
        }
    }

    private final String[] resources;
    private PtSymbolBlock block;

    TorchModule(String... resources) {
        this.resources = resources;
    }

    private static NDManager newManager() {
        NDManager manager = NDManager.newBaseManager(Device.cpu(), PtEngine.ENGINE_NAME);
        manager.setName("TorchOps");
        return manager;
    }

    private synchronized PtSymbolBlock block() {
        if (block == null) {
            try {
                byte[] archive = TorchScriptArchive.of("Ops", source());
                InputStream in = new ByteArrayInputStream(archive);
                block = JniUtils.loadModule((PtNDManager) MANAGER, in, false, false);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return block;
    }

    private String source() throws IOException {
        StringBuilder source = new StringBuilder();
        for (String resource : resources) {
            try (InputStream in = TorchModule.class.getResourceAsStream(resource)) {
                source.append(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
        }
        return source.toString();
    }

    /** DJL reads the method's name from the name of one last argument. */
    private static NDArray method(String name) {
        return METHODS.computeIfAbsent(
                name,
                n -> {
                    NDArray array = MANAGER.create(0f);
                    array.setName("module_method:" + n);
                    return array;
                });
    }

    /** Returns a float32 scalar on the CPU that is kept for ever. */
    static NDArray scalar(double value) {
        return SCALARS.computeIfAbsent(value, v -> MANAGER.create(v.floatValue()));
    }

    /** Runs a method that gives one array. */
    NDArray one(String method, NDArray... inputs) {
        return run(method, inputs).singletonOrThrow();
    }

    /** Runs a method; its results belong to the manager of the first input. */
    NDList run(String method, NDArray... inputs) {
        PLAIN_EXECUTOR.get();
        NDList list = new NDList(inputs.length + 1);
        for (NDArray input : inputs) {
            if (input.getName() != null && input.getName().indexOf('.') >= 0) {
                // DJL would pass an array with such a name as an entry of a dictionary.
                input.setName(null);
            }
            list.add(input);
        }
        list.add(method(method));
        // "Training" here only means: do not enter LibTorch's inference mode, whose results could
        // never take part in a backward pass. Recording follows the thread's gradient mode.
        return IValueUtils.forward(block(), list, true);
    }

    /** Runs a method whose first argument is a list of arrays. */
    NDList onList(String method, List<NDArray> arrays, NDArray... others) {
        List<String> names = arrays.stream().map(NDArray::getName).toList();
        NDArray[] inputs = new NDArray[arrays.size() + others.length];
        arrays.toArray(inputs);
        System.arraycopy(others, 0, inputs, arrays.size(), others.length);
        try {
            // DJL makes one list of all arguments that carry the same name with brackets.
            arrays.forEach(a -> a.setName("xs[]"));
            return run(method, inputs);
        } finally {
            for (int i = 0; i < names.size(); i++) {
                arrays.get(i).setName(names.get(i));
            }
        }
    }
}
