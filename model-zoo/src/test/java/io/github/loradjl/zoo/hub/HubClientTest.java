package io.github.loradjl.zoo.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ai.djl.util.Progress;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

class HubClientTest extends HubTestBase {

    @Test
    void snapshot_emptyCache_laysFilesOutAsPythonDoes() throws IOException {
        String commit = publish("main", 1);
        Path folder = fetch();
        Path repository = cache.resolve("models--someone--small");
        assertThat(folder).isEqualTo(repository.resolve("snapshots").resolve(commit));
        for (Map.Entry<String, byte[]> file : files(1).entrySet()) {
            assertThat(folder.resolve(file.getKey())).hasBinaryContent(file.getValue());
        }
        assertThat(Files.readSymbolicLink(folder.resolve(WEIGHTS)))
                .isEqualTo(Path.of("../../blobs").resolve(etag(1)));
        String git = HubAnswers.gitHash(files(1).get("config.json"));
        assertThat(Files.readSymbolicLink(folder.resolve("config.json")))
                .isEqualTo(Path.of("../../blobs").resolve(git));
        assertThat(repository.resolve("refs/main")).hasContent(commit);
        assertThat(cache.resolve(".locks/models--someone--small/" + etag(1) + ".lock")).exists();
    }

    @Test
    void snapshot_otherKindsOfFiles_areLeftThere() throws IOException {
        Map<String, byte[]> files = files(1);
        for (String name :
                List.of(
                        "pytorch_model.bin",
                        "modeling.py",
                        "evil.jar",
                        "serving.properties",
                        ".gitattributes",
                        ".hidden.json",
                        "tokenizer.model",
                        "onnx/model.safetensors",
                        "classes/A.json",
                        "consolidated.safetensors",
                        "x.pkl")) {
            files.put(name, text("no"));
        }
        files.put("chat_template.jinja", text("yes"));
        files.put("vocab.txt", text("yes"));
        hub.repository(ID.getRepository()).commit("main", files);
        try (Stream<Path> fetched = Files.list(fetch())) {
            assertThat(fetched.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            WEIGHTS,
                            "config.json",
                            "README.md",
                            "chat_template.jinja",
                            "vocab.txt");
        }
    }

    @Test
    void snapshot_branchAgain_asksOnceAndFetchesNothing() throws IOException {
        publish("main", 1);
        Path folder = fetch();
        hub.requests().clear();
        assertThat(fetch()).isEqualTo(folder);
        assertThat(hub.requests()).hasSize(1);
    }

    @Test
    void snapshot_branchMoved_fetchesWhatChanged() throws IOException {
        publish("main", 1);
        Path old = fetch();
        publish("main", 2);
        hub.requests().clear();
        Path folder = fetch();
        assertThat(folder).isNotEqualTo(old);
        assertThat(folder.resolve(WEIGHTS)).hasBinaryContent(files(2).get(WEIGHTS));
        assertThat(old.resolve(WEIGHTS)).hasBinaryContent(files(1).get(WEIGHTS));
        assertThat(hub.requests("hub", "README.md")).isEmpty();
    }

    @Test
    void snapshot_commitInCache_isNeverLookedUp() throws IOException {
        HubId commit = HubId.parse(ID.getRepository() + "@" + publish("main", 1));
        Path folder = builder().build().snapshot(commit, null);
        hub.requests().clear();
        assertThat(builder().build().snapshot(commit, null)).isEqualTo(folder);
        assertThat(hub.requests()).isEmpty();
    }

    @Test
    void snapshot_revisionWithSlash_isFoundAgainOffline() throws IOException {
        publish("refs/pr/1", 1);
        HubId id = HubId.parse(ID.getRepository() + "@refs/pr/1");
        Path folder = builder().build().snapshot(id, null);
        assertThat(builder().optOffline(true).build().snapshot(id, null)).isEqualTo(folder);
    }

    @Test
    void snapshot_offline_takesTheCacheAndAsksNobody() throws IOException {
        publish("main", 1);
        Path folder = fetch();
        hub.requests().clear();
        HubClient offline = builder().optOffline(true).build();
        assertThat(offline.snapshot(ID, null)).isEqualTo(folder);
        assertThat(offline.cached(ID)).contains(folder);
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(() -> offline.snapshot(HubId.parse("someone/else"), null))
                .withMessageContaining("someone/else is not in the cache")
                .withMessageContaining("forbids");
        assertThat(hub.requests()).isEmpty();
    }

    @Test
    void snapshot_offlineWithMissingFile_namesIt() throws IOException {
        publish("main", 1);
        Files.delete(fetch().resolve("config.json"));
        HubClient offline = builder().optOffline(true).build();
        assertThat(offline.cached(ID)).isEmpty();
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(() -> offline.snapshot(ID, null))
                .withMessageContaining("only a part")
                .withMessageContaining("config.json");
    }

    @Test
    void snapshot_ofPythonWithoutWeights_isNotTakenForWhole() throws IOException {
        String commit = "0123456789012345678901234567890123456789";
        Path folder = cache.resolve("models--someone--small/snapshots/" + commit);
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), "{}");
        HubId id = HubId.parse(ID.getRepository() + "@" + commit);
        HubClient offline = builder().optOffline(true).build();
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(() -> offline.snapshot(id, null))
                .withMessageContaining("*.safetensors");
        Files.write(folder.resolve(WEIGHTS), new byte[8]);
        assertThat(offline.snapshot(id, null)).isEqualTo(folder);
    }

    @Test
    void snapshot_hubDown_fallsBackToTheCache() throws IOException {
        publish("main", 1);
        Path folder = fetch();
        hub.fail("(api)", HubStandIn.Fault.BUSY);
        assertThat(fetch()).isEqualTo(folder);
        hub.close();
        assertThat(fetch()).isEqualTo(folder);
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(() -> builder().build().snapshot(HubId.parse("some/other"), null))
                .withMessageContaining("cannot reach")
                .withMessageContaining("HF_ENDPOINT");
    }

    @Test
    void snapshot_hubBusyOnceAndNothingCached_asksAgain() throws IOException {
        publish("main", 1);
        hub.fail("(api)", HubStandIn.Fault.BUSY, HubStandIn.Fault.BUSY);
        assertThat(fetch()).isDirectory();
    }

    @Test
    void snapshot_token_goesToTheHubAlone() throws IOException {
        publish("main", 1);
        hub.repository(ID.getRepository()).ask("hf_right", false);
        builder().optToken("hf_right").build().snapshot(ID, null);
        assertThat(hub.requests("hub", ""))
                .isNotEmpty()
                .allMatch(request -> "Bearer hf_right".equals(request.token()));
        assertThat(hub.requests("store", ""))
                .isNotEmpty()
                .allMatch(request -> request.token() == null);
    }

    @Test
    void snapshot_renamedRepository_isFollowedWithTheToken() throws IOException {
        publish("main", 1);
        hub.repository(ID.getRepository()).ask("hf_right", false);
        hub.rename("old/name", "someone/small");
        HubClient client = builder().optToken("hf_right").build();
        Path folder = client.snapshot(HubId.parse("old/name"), null);
        assertThat(folder).startsWith(cache.resolve("models--old--name"));
        assertThat(folder.resolve(WEIGHTS)).hasBinaryContent(files(1).get(WEIGHTS));
    }

    @Test
    void snapshot_progress_countsEveryByteOnce() throws IOException {
        publish("main", 1);
        hub.fail(WEIGHTS, HubStandIn.Fault.CUT, HubStandIn.Fault.WITHOUT_RANGES);
        Recorder recorder = new Recorder();
        builder().build().snapshot(ID, recorder);
        long total = files(1).values().stream().mapToLong(content -> content.length).sum();
        assertThat(recorder.max).isEqualTo(total);
        assertThat(recorder.steps.get(recorder.steps.size() - 1)).isEqualTo(total);
        assertThat(recorder.steps).allMatch(step -> step <= total);
        assertThat(recorder.ended).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../evil.json",
                "/etc/evil.json",
                "a/../../evil.json",
                "..\\evil.json",
                "C:\\evil.json",
                "..",
                "a/..\\evil.safetensors"
            })
    void snapshot_hostileName_isRefusedAndNothingWritten(String name) throws IOException {
        Map<String, byte[]> files = files(1);
        files.put(name, text("evil"));
        hub.repository(ID.getRepository()).commit("main", files);
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(this::fetch)
                .withMessageContaining("outside the cache");
        try (Stream<Path> written = Files.list(cache)) {
            assertThat(written).isEmpty();
        }
    }

    @Test
    void snapshot_onlyPickles_saysThatTheyAreNeverLoaded() {
        hub.repository(ID.getRepository())
                .commit("main", Map.of("pytorch_model.bin", text("x"), "config.json", text("{}")));
        assertThatExceptionOfType(HubException.class)
                .isThrownBy(this::fetch)
                .withMessageContaining("pytorch_model.bin")
                .withMessageContaining("never loaded");
    }

    /** Keeps what it is told. */
    private static final class Recorder implements Progress {
        private long max;
        private boolean ended;
        private final List<Long> steps = new ArrayList<>();

        @Override
        public void reset(String message, long most, String trailingMessage) {
            max = most;
        }

        @Override
        public void start(long initialProgress) {}

        @Override
        public void end() {
            ended = true;
        }

        @Override
        public void increment(long increment) {}

        @Override
        public void update(long progress, String message) {
            steps.add(progress);
        }
    }
}
