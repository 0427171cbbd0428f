package io.github.loradjl.zoo.publish;

import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.util.Utils;

import io.github.loradjl.zoo.TrainedAdapter;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Loads a published adapter by a criteria alone, in a Java of its own with an empty cache. */
public final class FreshProcess {

    private FreshProcess() {}

    /**
     * Writes the logits that the adapter gives.
     *
     * @param arguments the file to write
     */
    public static void main(String[] arguments) throws Exception {
        Criteria<NDList, NDList> criteria =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optGroupId("com.example")
                        .optArtifactId("answers")
                        .optFilter("method", "lora_ga")
                        .build();
        try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
            float[] logits = TrainedAdapter.logits(model);
            ByteBuffer bytes = ByteBuffer.allocate(4 * logits.length);
            bytes.asFloatBuffer().put(logits);
            Files.write(Path.of(arguments[0]), bytes.array());
        }
    }

    /**
     * Starts the process and waits for it.
     *
     * @param folder an empty folder, for its cache
     * @param repository what the system property names, or null
     * @param jar what stands on the class path as well, or null
     * @return the logits
     */
    static float[] run(Path folder, String repository, Path jar)
            throws IOException, InterruptedException {
        Path out = folder.resolve("logits");
        Path log = folder.resolve("log");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        // Offline but for a repository on the loopback.
        boolean isOffline = repository == null || !repository.startsWith("http");
        command.add("-Dai.djl.offline=" + isOffline);
        command.add("-DOPT_OUT_TRACKING=true");
        if (repository != null) {
            command.add("-Dlora.djl.repositories=" + repository);
        }
        String path = System.getProperty("java.class.path");
        command.addAll(List.of("-cp", jar == null ? path : jar + File.pathSeparator + path));
        command.addAll(List.of(FreshProcess.class.getName(), out.toString()));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("DJL_CACHE_DIR", folder.resolve("cache").toString());
        // The engine's own files are not what is tested.
        builder.environment().put("ENGINE_CACHE_DIR", Utils.getEngineCacheDir().toString());
        Process process = builder.start();
        if (!process.waitFor(3, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException(Files.readString(log));
        }
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(out));
        float[] logits = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(logits);
        return logits;
    }
}
