package io.github.loradjl.zoo.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.loradjl.init.LoraInit;
import io.github.loradjl.zoo.TrainedAdapter;
import io.github.loradjl.zoo.publish.AdapterPublication;
import io.github.loradjl.zoo.publish.FileServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class AdapterRepositoryTest {

    private static final String OFFLINE = "ai.djl.offline";

    @TempDir private static Path shared;
    private static Path adapter;

    @TempDir private Path folder;
    private String offline;

    @BeforeAll
    static void train() throws Exception {
        adapter = TrainedAdapter.train(shared.resolve("adapter"), LoraInit.randomB(), 2).folder();
    }

    @BeforeEach
    void goOnline() {
        offline = System.setProperty(OFFLINE, "false");
    }

    @AfterEach
    void goBack() {
        if (offline == null) {
            System.clearProperty(OFFLINE);
        } else {
            System.setProperty(OFFLINE, offline);
        }
    }

    private AdapterEntry publish(String version) throws IOException {
        return publish("answers", version);
    }

    private AdapterEntry publish(String name, String version) throws IOException {
        return AdapterPublication.builder()
                .setAdapter(adapter)
                .setName(name)
                .setVersion(version)
                .optLicense("mit")
                .build()
                .publish(folder);
    }

    @Test
    void open_server_readsWhatTheIndexLists() throws IOException {
        AdapterEntry entry = publish("0.0.1");
        try (FileServer server = new FileServer(folder)) {
            AdapterRepository repository = AdapterRepository.open(server.url());
            assertThat(repository.getEntries()).containsExactly(entry);
            repository.verify(entry);
            assertThat(repository.fetch(entry).resolve("adapter_config.json"))
                    .hasSameBinaryContentAs(adapter.resolve("adapter_config.json"));
            int requests = server.requests().size();
            repository.fetch(entry);
            assertThat(server.requests()).hasSize(requests);
        }
    }

    @Test
    void open_serverThatIsGoneOrOffline_usesWhatWasReadBefore() throws IOException {
        AdapterEntry entry = publish("0.0.1");
        String url;
        try (FileServer server = new FileServer(folder)) {
            url = server.url();
            AdapterRepository repository = AdapterRepository.open(url);
            repository.fetch(repository.getEntries().get(0));
        }
        AdapterRepository gone = AdapterRepository.open(url);
        assertThat(gone.getEntries()).containsExactly(entry);
        assertThat(gone.fetch(entry)).isDirectory();
        assertThatThrownBy(() -> gone.verify(entry))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(url)
                .hasMessageContaining("cannot be fetched");
        System.setProperty(OFFLINE, "true");
        AdapterRepository offline = AdapterRepository.open(url);
        assertThat(offline.getEntries()).containsExactly(entry);
        assertThatThrownBy(() -> offline.verify(entry))
                .hasMessageContaining("ai.djl.offline forbids it");
    }

    /** As the command line does, so that DJL fetches no engine. */
    @Test
    void open_offlineForDjlAlone_asksTheServer() throws IOException {
        AdapterEntry entry = publish("0.0.1");
        System.setProperty(OFFLINE, "true");
        System.setProperty("lora.hub.offline", "false");
        try (FileServer server = new FileServer(folder)) {
            AdapterRepository repository = AdapterRepository.open(server.url());
            repository.verify(entry);
            assertThat(server.requests()).hasSize(3);
        } finally {
            System.clearProperty("lora.hub.offline");
        }
    }

    @Test
    void open_serverThatBrokeDown_isAskedOnceForAllFiles() throws IOException {
        publish("0.0.1");
        publish("other", "0.0.1");
        try (FileServer server = new FileServer(folder)) {
            AdapterRepository.open(server.url());
            server.breakDown();
            int requests = server.requests().size();
            assertThat(AdapterRepository.open(server.url()).getEntries()).hasSize(2);
            assertThat(server.requests()).hasSize(requests + 1);
        }
    }

    @Test
    void open_urlWithALogin_isRefusedWithoutShowingIt() {
        for (String url :
                List.of(
                        "https://me:secret@127.0.0.1:9/adapters",
                        "https://me:secret sign@127.0.0.1:9/adapters",
                        "http://127.0.0.1:9/adapters?token=1")) {
            assertThatThrownBy(() -> AdapterRepository.open(url))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("//127.0.0.1:9/adapters")
                    .hasMessageNotContaining("secret")
                    .hasNoCause();
        }
    }

    @Test
    void open_serverWithoutARepository_namesTheUrl() throws IOException {
        try (FileServer server = new FileServer(folder)) {
            assertThatThrownBy(() -> AdapterRepository.open(server.url()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(server.url() + "/lora-index.json");
            Files.write(folder.resolve("lora-index.json"), new byte[Source.MAX_TEXT + 9]);
            assertThatThrownBy(() -> AdapterRepository.open(server.url()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("longer than");
        }
        for (String place : List.of("no/such/place", "http://", "gopher://x/y", "\u0000")) {
            assertThatThrownBy(() -> AdapterRepository.open(place)).isInstanceOf(IOException.class);
        }
        assertThatThrownBy(() -> AdapterRepository.open(adapter))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(adapter + " is no repository");
    }

    @Test
    void open_oneDamagedAmongOthers_leavesItOutAndSaysSo() throws IOException {
        AdapterEntry entry = publish("0.0.1");
        Path other = folder.resolve("model/nlp/text_generation/com/example/other/metadata.json");
        Files.createDirectories(other.getParent());
        Files.writeString(other, "{\"groupId\": \"com.example\"}");
        AdapterRepository repository = AdapterRepository.open(folder);
        assertThat(repository.getEntries()).containsExactly(entry);
        assertThat(repository.getProblems()).hasSize(1);
        assertThat(repository.getProblems().get(0)).contains(other.toString(), "artifactId");
    }

    @Test
    void fetch_moreThanTheDiskHolds_isRefusedBeforeAnythingIsRead() throws IOException {
        AdapterEntry entry = publish("0.0.1");
        Path metadata =
                folder.resolve("model/nlp/text_generation/io/github/loradjl/answers/metadata.json");
        String text = Files.readString(metadata);
        Files.writeString(
                metadata,
                text.replace("\"size\": " + entry.archive().size(), "\"size\": " + (1L << 40))
                        .replace(entry.archive().sha256(), "0".repeat(64)));
        AdapterRepository repository = AdapterRepository.open(folder);
        assumeTrue(Files.getFileStore(folder).getUsableSpace() < 1L << 41, "the disk is large");
        assertThatThrownBy(() -> repository.fetch(repository.getEntries().get(0)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("has room for")
                .hasMessageContaining("DJL_CACHE_DIR");
    }

    @Test
    void open_linkOutOfTheFolder_isNotFollowed() throws IOException {
        assumeTrue(File.separatorChar == '/', "links need permission on Windows");
        AdapterEntry entry = publish("0.0.1");
        Path zip = folder.resolve(entry.archive().path());
        Path outside = shared.resolve("outside.zip");
        Files.move(zip, outside);
        Files.createSymbolicLink(zip, outside);
        AdapterRepository repository = AdapterRepository.open(folder);
        assertThatThrownBy(() -> repository.verify(entry))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("link out of the repository");
    }

    @Test
    void find_idsOfAllLengths_findTheNewest() throws IOException {
        publish("0.0.9");
        publish("0.0.10");
        String location = folder.toString();
        AdapterRepositories.add(location);
        try {
            for (String id : List.of("answers", "io.github.loradjl:answers")) {
                assertThat(AdapterRepositories.find(id).entry().version()).isEqualTo("0.0.10");
            }
            assertThat(
                            AdapterRepositories.find("io.github.loradjl:answers:0.0.9")
                                    .entry()
                                    .version())
                    .isEqualTo("0.0.9");
            for (String id : List.of("nothing", "a:b:c:d", "", "io.github.loradjl:answers:1")) {
                assertThatThrownBy(() -> AdapterRepositories.find(id))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("there is no adapter " + id);
            }
        } finally {
            AdapterRepositories.remove(location);
        }
    }
}
