package io.github.loradjl.examples.doctor;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.LibUtils;
import ai.djl.util.Platform;
import ai.djl.util.Utils;
import ai.djl.util.cuda.CudaUtils;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Java, the engine, its natives and its devices. */
final class EngineFindings {

    private static final String FOLDER = "PYTORCH_LIBRARY_PATH";
    private static final String LIBRARY = System.mapLibraryName("torch");

    private EngineFindings() {}

    static void add(Findings findings) {
        Runtime runtime = Runtime.getRuntime();
        findings.fact(
                "Java",
                "%s (%s), %s, at most %s of heap",
                System.getProperty("java.version"),
                System.getProperty("java.vendor"),
                System.getProperty("java.home"),
                Findings.size(runtime.maxMemory()));
        findings.fact(
                "machine",
                "%s %s, %d processors",
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                runtime.availableProcessors());
        String folder = Utils.getEnvOrSystemProperty(FOLDER);
        boolean isFolder = folder != null && hasLibrary(folder);
        if (folder != null && !isFolder) {
            findings.problem(
                    FOLDER
                            + " is \""
                            + folder
                            + "\", where there is no "
                            + LIBRARY
                            + ", so DJL does not look there",
                    "Unset it, or let it name the lib folder of a PyTorch");
        }
        try {
            Engine engine = Engine.getEngine(PtEngine.ENGINE_NAME);
            findings.fact(
                    "engine",
                    "%s %s on DJL %s",
                    engine.getEngineName(),
                    engine.getVersion(),
                    Engine.getDjlVersion());
            Path loaded = Path.of(LibUtils.getLibtorchPath());
            boolean isCuda = Files.exists(loaded.resolve(System.mapLibraryName("torch_cuda")));
            findings.fact(
                    "natives",
                    "%s build, from %s%nin use from %s",
                    isCuda ? "CUDA" : "CPU",
                    isFolder ? FOLDER : source(),
                    loaded);
            devices(findings, engine, isCuda);
            findings.fact(
                    "threads",
                    "%d within an operation (OMP_NUM_THREADS), %d between operations",
                    JniUtils.getNumThreads(),
                    JniUtils.getNumInteropThreads());
        } catch (RuntimeException | LinkageError e) {
            findings.fact("engine", "PyTorch on DJL %s, which does not load", djlVersion());
            findings.fact("natives", "should be from %s", isFolder ? folder : source());
            findings.problem("PyTorch does not load: " + Findings.reason(e), remedy(isFolder));
        }
    }

    private static void devices(Findings findings, Engine engine, boolean isCuda) {
        List<String> devices = new ArrayList<>(List.of("cpu"));
        // DJL asks the driver, whatever the engine can use.
        int gpus = engine.getGpuCount();
        boolean isUsed = engine.hasCapability(StandardCapabilities.CUDA);
        if (gpus > 0 && !isUsed) {
            devices.add(gpus + " GPU that LORA_CUDA=1 would use");
        }
        for (int i = 0; i < gpus && isUsed; i++) {
            devices.add(
                    "gpu"
                            + i
                            + " (compute capability "
                            + CudaUtils.getComputeCapability(i)
                            + ", "
                            + Findings.size(CudaUtils.getGpuMemory(Device.gpu(i)).getMax())
                            + ")");
        }
        findings.fact("devices", "%s", String.join(", ", devices));
        if (isCuda && !isUsed) {
            findings.problem(
                    "PyTorch's CUDA build sees no GPU",
                    "Look at the driver with nvidia-smi, or run without LORA_CUDA");
        }
    }

    private static String remedy(boolean isFolder) {
        if (isFolder) {
            return "Unset "
                    + FOLDER
                    + ", or let it name the lib folder of the PyTorch that DJL "
                    + djlVersion()
                    + " is made for";
        }
        if (bundled().isEmpty()) {
            return "There is no jar with PyTorch on the class path: add"
                    + " ai.djl.pytorch:pytorch-native-cpu for this system, or let DJL fetch it once"
                    + " with the network (without -Dai.djl.offline=true and DJL_OFFLINE)";
        }
        Path unpacked = Utils.getEngineCacheDir("pytorch");
        if (!Files.exists(unpacked)) {
            return "It could not be unpacked to "
                    + unpacked
                    + ": name a folder that can be written to by DJL_CACHE_DIR";
        }
        return "Remove "
                + unpacked
                + ", which may be damaged, and try again; -Dorg.slf4j.simpleLogger.defaultLogLevel"
                + "=debug in LORA_JAVA_OPTIONS shows which file it is";
    }

    /** Says where DJL takes the natives from unless a folder is given. */
    private static String source() {
        List<String> jars = bundled();
        if (!jars.isEmpty()) {
            return String.join(", ", jars);
        }
        return Utils.isOfflineMode()
                ? "DJL's cache (there is no jar, and DJL is offline)"
                : "DJL's cache or its download (there is no jar)";
    }

    /** Finds the jars on the class path that have natives. */
    private static List<String> bundled() {
        try {
            ClassLoader loader = Thread.currentThread().getContextClassLoader();
            List<String> jars = new ArrayList<>();
            for (URL url : Collections.list(loader.getResources("native/lib/pytorch.properties"))) {
                jars.add(url.toString().replaceFirst("^jar:file:", "").replaceFirst("!.*", ""));
            }
            return jars;
        } catch (IOException e) {
            return List.of();
        }
    }

    private static String djlVersion() {
        try {
            return Platform.fromSystem("pytorch").getApiVersion();
        } catch (AssertionError e) {
            return "(unknown)"; // not a system that DJL knows
        }
    }

    private static boolean hasLibrary(String paths) {
        for (String path : paths.split(File.pathSeparator)) {
            try {
                Path given = Path.of(path);
                if (Files.isRegularFile(given.resolve(LIBRARY))
                        || given.endsWith(LIBRARY) && Files.isRegularFile(given)) {
                    return true;
                }
            } catch (InvalidPathException e) {
                continue; // no such folder either
            }
        }
        return false;
    }
}
