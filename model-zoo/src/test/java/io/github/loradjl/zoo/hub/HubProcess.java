package io.github.loradjl.zoo.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Fetches a model in a process of its own; prints the folder. */
final class HubProcess {

    private HubProcess() {}

    /** Starts the process. */
    static Process start(String endpoint, Path cache, String id) throws IOException {
        List<String> command =
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                        HubProcess.class.getName(),
                        id);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("HF_ENDPOINT", endpoint);
        builder.environment().put("HF_HUB_CACHE", cache.toString());
        builder.environment().remove("HF_HUB_OFFLINE");
        return builder.start();
    }

    /** Fetches the model that is named. */
    public static void main(String[] arguments) throws IOException {
        HubClient client = HubClient.builder().build();
        System.out.println(client.snapshot(HubId.parse(arguments[0]), null));
    }
}
