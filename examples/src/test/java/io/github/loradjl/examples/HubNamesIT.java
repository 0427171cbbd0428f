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
import io.github.loradjl.peft.AdapterOrigin;
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
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** Models and adapters that options name by their names on the hub. */
class HubNamesIT {

    private static final String COMMIT = "0123456789012345678901234567890123456789";

    @TempDir private Path folder;
    private final Map<String, Path> published = new ConcurrentHashMap<>();
    private final Map<String, String> before = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private volatile String head = COMMIT;
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
        requests.add(exchange.getRequestURI().getPath());
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            for (Map.Entry<String, Path> entry : published.entrySet()) {
                String files = "/" + entry.getKey() + "/resolve/" + head + "/";
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

    private String listing(Path folder) throws IOException {
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
        answer.addProperty("sha", head);
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
        requests.clear();
        shown.reset();
        set("HF_HUB_OFFLINE", "1");
        assertThat(generate((Object[]) named).out()).isEqualTo(run.out());
        assertThat(requests).isEmpty();
        assertThat(shown.toString(StandardCharsets.UTF_8)).doesNotContain("Downloading");
        CommandLine inspected = CommandLine.run("inspect", named[0], named[1]);
        assertThat(inspected.out()).contains("model      someone/small,");
    }

    @Test
    void finetune_modelOfTheHub_keepsToItsCommit() throws Exception {
        System.setProperty("lora.examples", ".");
        published.put("someone/small", TinyStoryLlama.folder());
        Path out = folder.resolve("run");
        CommandLine run = finetune(out, "--max-steps", 2);
        assertThat(run.code()).as(run.err() + shown).isZero();
        assertThat(out.resolve("config.yaml"))
                .content()
                .contains("model: \"someone/small@" + COMMIT + "\"");
        assertOrigin(out.resolve("adapter"));
        // The branch moves on.
        head = "f".repeat(40);
        requests.clear();
        CommandLine resumed = finetune(out, "--resume", "--max-steps", 3);
        assertThat(resumed.code()).as(resumed.err() + shown).isZero();
        assertThat(requests).isEmpty();
        assertThat(shown.toString(StandardCharsets.UTF_8))
                .contains("going on with someone/small@" + COMMIT)
                .contains("going on from ");
        assertOrigin(out.resolve("adapter"));
        CommandLine byFile =
                CommandLine.run("finetune", "--config", out.resolve("config.yaml"), "--overwrite");
        assertThat(byFile.code()).as(byFile.err()).isZero();
        assertThat(requests).isEmpty();
    }

    private static CommandLine finetune(Path out, Object... more) {
        Stream<Object> given =
                Stream.of(
                        "finetune",
                        "--model",
                        "someone/small",
                        "--data",
                        "data/train.jsonl",
                        "--limit",
                        20,
                        "--rank",
                        2,
                        "--save-steps",
                        1,
                        "--out",
                        out);
        return CommandLine.run(Stream.concat(given, Stream.of(more)).toArray());
    }

    private static void assertOrigin(Path adapter) throws IOException {
        AdapterOrigin origin = PeftAdapter.readOrigin(adapter);
        assertThat(origin.baseModel()).isEqualTo("someone/small");
        assertThat(origin.baseRevision()).isEqualTo(COMMIT);
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
        assertThat(generate("--adapter", "nothing").err())
                .contains("no adapter nothing", "LORA_REPOSITORIES")
                .hasLineCount(1);
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
        assertThat(requests).isEmpty();
    }
}
