package io.github.loradjl.zoo.hub;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** A stand-in with one small repository, and clients with an empty cache. */
abstract class HubTestBase {

    static final String WEIGHTS = "model.safetensors";
    static final HubId ID = HubId.parse("someone/small");

    @TempDir Path cache;
    HubStandIn hub;

    @BeforeEach
    void startHub() throws IOException {
        hub = new HubStandIn();
    }

    @AfterEach
    void stopHub() {
        hub.close();
    }

    HubClient.Builder builder() {
        return new HubClient.Builder(new HubEnvironment(name -> null))
                .optEndpoint(hub.endpoint())
                .optCacheFolder(cache)
                .optToken(null)
                .optTimeout(Duration.ofSeconds(5))
                .optPause(Duration.ofMillis(5));
    }

    Path fetch() throws IOException {
        return builder().build().snapshot(ID, null);
    }

    /** Publishes weights and two texts, as a branch. */
    String publish(String branch, int seed) {
        return hub.repository(ID.getRepository()).commit(branch, files(seed));
    }

    static Map<String, byte[]> files(int seed) {
        Map<String, byte[]> files = new TreeMap<>();
        byte[] weights = new byte[200_000];
        new Random(seed).nextBytes(weights);
        files.put(WEIGHTS, weights);
        files.put("config.json", text("{\"seed\": " + seed + "}"));
        files.put("README.md", text("# Small\n"));
        return files;
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    Path blobs() {
        return cache.resolve("models--someone--small").resolve("blobs");
    }

    static String etag(int seed) {
        return HubAnswers.hash("SHA-256", files(seed).get(WEIGHTS));
    }

    Path part(int seed) {
        return blobs().resolve(etag(seed) + ".lora-djl.incomplete");
    }
}
