package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** Models and adapters that options name by their names on the hub. */
class HubNamesIT {

    private static final String COMMIT = "0123456789012345678901234567890123456789";

    @TempDir private Path folder;
    private final Map<String, Path> published = new ConcurrentHashMap<>();
    private final Map<String, String> before = new ConcurrentHashMap<>();
    private final AtomicInteger requests = new AtomicInteger();
    private final PrintStream standardError = System.err;
    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private HttpServer hub;

    @BeforeEach
    void startHub() throws IOException {
        hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        hub.createContext("/", this::answer);
        hub.start();
        set("HF_ENDPOINT", "http://127.0.0.1:" + hub.getAddress().getPort());
        set("HF_HUB_CACHE", folder.resolve("cache").toString());
        // As the launcher does, which keeps DJL off the network.
        set("lora.hub.offline", "false");
        set("lora.progress", "plain");
        System.setErr(new PrintStream(shown, true, StandardCharsets.UTF_8));
    }

    private void set(String property, String value) {
        before.put(property, System.getProperty(property, ""));
        System.setProperty(property, value);
    }

    @AfterEach
    void stopHub() {
        System.setErr(standardError);
        hub.stop(0);
        before.forEach(
                (property, value) -> {
                    if (value.isEmpty()) {
                        System.clearProperty(property);
                    } else {
                        System.setProperty(property, value);
                    }
                });
    }

    /** Serves the folders that are published, as a hub does. */
    private void answer(HttpExchange exchange) throws IOException {
        requests.incrementAndGet();
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            for (Map.Entry<String, Path> entry : published.entrySet()) {
                String files = "/" + entry.getKey() + "/resolve/" + COMMIT + "/";
                byte[] body = null;
                if (path.equals("/api/models/" + entry.getKey() + "/revision/main")) {
                    body = listing(entry.getValue()).getBytes(StandardCharsets.UTF_8);
                } else if (path.startsWith(files)) {
                    String name = path.substring(files.length());
                    body = Files.readAllBytes(entry.getValue().resolve(name));
                }
                if (body != null) {
                    exchange.sendResponseHeaders(200, body.length);
                    exchange.getResponseBody().write(body);
                    return;
                }
            }
            exchange.sendResponseHeaders(401, -1);
        }
    }

    private static String listing(Path folder) throws IOException {
        JsonArray files = new JsonArray();
        try (Stream<Path> paths = Files.list(folder)) {
            for (Path path : paths.toList()) {
                byte[] content = Files.readAllBytes(path);
                JsonObject file = new JsonObject();
                file.addProperty("rfilename", path.getFileName().toString());
                file.addProperty("size", content.length);
                file.addProperty("blobId", gitHash(content));
                files.add(file);
            }
        }
        JsonObject answer = new JsonObject();
        answer.addProperty("sha", COMMIT);
        answer.add("siblings", files);
        return answer.toString();
    }

    private static String gitHash(byte[] content) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-1");
            digest.update(("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(content));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static CommandLine generate(Object... more) {
        return CommandLine.run(
                Stream.concat(
                                Stream.of("generate", "--prompt", "Once", "--max-new-tokens", "8"),
                                Stream.of(more))
                        .toArray());
    }

    @Test
    void generate_modelAndAdapterByName_fetchesThemOnceAndSaysSo() throws Exception {
        Path base = TinyStoryLlama.folder();
        Path adapter = folder.resolve("adapter");
        try (ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(base, Device.cpu(), DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, LoraConfig.builder().optRank(2).build())) {
            PeftAdapter.save(lora, adapter);
        }
        published.put("someone/small", base);
        published.put("someone/adapter", adapter);
        String[] named = {"--model", "someone/small", "--adapter", "someone/adapter"};
        CommandLine run = generate((Object[]) named);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out())
                .isEqualTo(generate("--model", base, "--adapter", adapter).out())
                .isNotBlank();
        assertThat(shown.toString(StandardCharsets.UTF_8).lines())
                .anyMatch(
                        line ->
                                line.matches(
                                        "Downloading someone/small (\\d+)/\\1  kB, [0-9.]+ MB/s"))
                .anyMatch(line -> line.startsWith("Downloading someone/adapter "));
        requests.set(0);
        shown.reset();
        set("HF_HUB_OFFLINE", "1");
        assertThat(generate((Object[]) named).out()).isEqualTo(run.out());
        assertThat(requests).hasValue(0);
        assertThat(shown.toString(StandardCharsets.UTF_8)).doesNotContain("Downloading");
        CommandLine inspected = CommandLine.run("inspect", named[0], named[1]);
        assertThat(inspected.out()).contains("model      someone/small,");
    }

    @Test
    void generate_unknownName_saysInOneLineWhatToDo() {
        for (List<String> option :
                List.of(List.of("--model", "no/body"), List.of("--adapter", "no/body"))) {
            CommandLine run = generate(option.toArray());
            assertThat(run.code()).isOne();
            assertThat(run.err())
                    .contains(option.get(0) + " no/body is no folder here", "HF_TOKEN")
                    .hasLineCount(1);
        }
        set("HF_HUB_OFFLINE", "1");
        assertThat(generate("--model", "no/body").err())
                .contains("no/body is not in the cache", "HF_HUB_OFFLINE")
                .hasLineCount(1);
    }

    @Test
    void generate_folderWithSuchAName_isTakenBeforeTheHub() {
        CommandLine run = generate("--model", Path.of("src", "test"));
        assertThat(run.code()).isOne();
        assertThat(run.err()).doesNotContain("hub");
        assertThat(requests).hasValue(0);
    }
}
