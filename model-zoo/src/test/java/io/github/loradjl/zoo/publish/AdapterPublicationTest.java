package io.github.loradjl.zoo.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.repository.Artifact;
import ai.djl.repository.MRL;
import ai.djl.repository.Repository;

import io.github.loradjl.init.LoraInit;
import io.github.loradjl.zoo.TrainedAdapter;
import io.github.loradjl.zoo.repository.AdapterEntry;
import io.github.loradjl.zoo.repository.AdapterRepository;
import io.github.loradjl.zoo.repository.Digests;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

class AdapterPublicationTest {

    private static final String ARTIFACT = "model/nlp/text_generation/com/example/answers/";

    @TempDir private static Path shared;
    private static Path adapter;

    @TempDir private Path folder;

    @BeforeAll
    static void train() throws Exception {
        adapter = TrainedAdapter.train(shared.resolve("adapter"), LoraInit.loraGa(), 4).folder();
    }

    private static AdapterPublication.Builder publication(String version) {
        return AdapterPublication.builder()
                .setAdapter(adapter)
                .setName("answers")
                .setVersion(version)
                .optGroupId("com.example")
                .optLicense("apache-2.0")
                .optMetrics(Map.of("eval_loss", 1.5));
    }

    @Test
    void publish_severalVersions_areMergedNewestFirst() throws IOException {
        publication("0.0.9").build().publish(folder);
        publication("0.0.10").optDescription("Answers.").build().publish(folder);
        AdapterRepository repository = AdapterRepository.open(folder);
        assertThat(repository.getProblems()).isEmpty();
        assertThat(repository.getEntries())
                .extracting(AdapterEntry::id)
                .containsExactly("com.example:answers:0.0.9", "com.example:answers:0.0.10");
        AdapterEntry entry = repository.getEntries().get(1);
        assertThat(entry.description()).isEqualTo("Answers.");
        assertThat(entry.license()).isEqualTo("apache-2.0");
        assertThat(entry.metrics()).containsEntry("eval_loss", 1.5);
        assertThat(entry.properties())
                .containsEntry("base", "tiny-story-llama")
                .containsEntry("method", "lora_ga")
                .containsEntry("rank", "4")
                .containsEntry("task", "CAUSAL_LM")
                .containsEntry("version", "0.0.10");
        assertThat(entry.base().fingerprint()).hasSize(64);
        repository.verify(entry);
        String zip = entry.archive().path();
        assertThat(folder.resolve(zip + ".sha1")).hasContent(Digests.sha1(folder.resolve(zip)));
        assertThat(folder.resolve(zip + ".sha256"))
                .hasContent(entry.archive().sha256() + "  answers-0.0.10.zip");
        assertThat(folder.resolve("lora-index.json")).content().contains(ARTIFACT);
    }

    @Test
    void publish_manyAtOnce_losesNone() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        try {
            List<Future<AdapterEntry>> published = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                AdapterPublication each = publication("0.0." + i).build();
                published.add(pool.submit(() -> each.publish(folder)));
            }
            for (Future<AdapterEntry> each : published) {
                each.get();
            }
        } finally {
            pool.shutdown();
        }
        assertThat(AdapterRepository.open(folder).getEntries()).hasSize(8);
    }

    @Test
    void publish_sameVersion_isRefusedAndChangesNothing() throws IOException {
        publication("0.0.1").build().publish(folder);
        Path metadata = folder.resolve(ARTIFACT + "metadata.json");
        byte[] before = Files.readAllBytes(metadata);
        assertThatThrownBy(() -> publication("0.0.1").build().publish(folder))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("com.example:answers:0.0.1 is published already");
        assertThatThrownBy(() -> publication("0.0.2").optLicense("mit").build().publish(folder))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("one licence");
        assertThat(metadata).hasBinaryContent(before);
    }

    @Test
    void publish_elsewhereAndLater_givesTheSameBytes() throws IOException {
        AdapterEntry first = publication("0.0.1").build().publish(folder.resolve("one"));
        TimeZone zone = TimeZone.getDefault();
        Path copy = Files.createDirectory(folder.resolve("copy"));
        for (String name : new String[] {"lora_djl.json", "adapter_config.json"}) {
            Files.copy(adapter.resolve(name), copy.resolve(name));
        }
        Path weights = copy.resolve("adapter_model.safetensors");
        Files.copy(adapter.resolve("adapter_model.safetensors"), weights);
        Files.setLastModifiedTime(weights, FileTime.fromMillis(1_000_000_000_000L));
        Files.writeString(copy.resolve("optimizer.bin"), "left out");
        try {
            TimeZone.setDefault(TimeZone.getTimeZone("Asia/Kathmandu"));
            AdapterEntry second =
                    publication("0.0.1").setAdapter(copy).build().publish(folder.resolve("two"));
            assertThat(second).isEqualTo(first);
            publication("0.0.1").build().publishJar(folder.resolve("one.jar"));
            TimeZone.setDefault(TimeZone.getTimeZone("America/Lima"));
            publication("0.0.1").build().publishJar(folder.resolve("two.jar"));
        } finally {
            TimeZone.setDefault(zone);
        }
        assertThat(folder.resolve("two.jar")).hasSameBinaryContentAs(folder.resolve("one.jar"));
        for (String file : new String[] {"metadata.json", "0.0.1/answers-0.0.1.zip"}) {
            assertThat(folder.resolve("two/" + ARTIFACT + file))
                    .hasSameBinaryContentAs(folder.resolve("one/" + ARTIFACT + file));
        }
        assertThatThrownBy(() -> publication("0.0.1").build().publishJar(folder.resolve("one.jar")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("exists already");
    }

    @Test
    void build_withoutWhatOthersNeed_saysWhatIsMissing() {
        assertThatThrownBy(() -> publication("0.0.1").optLicense(null).build())
                .hasMessageContaining("licence");
        assertThatThrownBy(() -> publication("../1").build()).hasMessageContaining("../1");
        assertThatThrownBy(() -> publication("0.0.1").setName("a/b").build())
                .hasMessageContaining("a/b");
        assertThatThrownBy(() -> publication("0.0.1").optGroupId("com..example").build())
                .hasMessageContaining("com..example");
        assertThatThrownBy(() -> publication("0.0.1").setAdapter(folder.resolve("nowhere")).build())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("nowhere");
        assertThatThrownBy(() -> publication("0.0.1").optBase("/home/me/llama").build())
                .hasMessageContaining("\"/home/me/llama\", by which others do not find it");
        assertThatThrownBy(() -> publication("0.0.1").optDescription("two\nlines").build())
                .hasMessageContaining("one line");
    }

    @Test
    void build_licenceInTheCard_isTaken() throws IOException {
        Path copy = Files.createDirectory(folder.resolve("copy"));
        for (String name :
                new String[] {
                    "lora_djl.json", "adapter_config.json", "adapter_model.safetensors"
                }) {
            Files.copy(adapter.resolve(name), copy.resolve(name));
        }
        Files.writeString(copy.resolve("README.md"), "---\nlicense: 'cc-by-4.0'\n---\n# Hello\n");
        AdapterEntry entry =
                publication("0.0.1").optLicense(null).setAdapter(copy).build().publish(folder);
        assertThat(entry.license()).isEqualTo("cc-by-4.0");
    }

    /** DJL's own code finds, checks and unpacks what is published. */
    @Test
    void publish_folder_isARepositoryForDjl() throws IOException {
        AdapterEntry entry = publication("0.0.1").build().publish(folder);
        Repository repository = Repository.newInstance("test", folder.toUri().toString());
        MRL mrl = repository.getResources().get(0);
        Artifact artifact = mrl.match(Map.of("method", "lora_ga", "rank", "4"));
        // DJL would take what an earlier build has left under that name and version.
        System.setProperty("DJL_CACHE_DIR", folder.resolve("cache").toString());
        try {
            mrl.prepare(artifact);
            Path prepared = repository.getResourceDirectory(artifact);
            assertThat(prepared.resolve("adapter_model.safetensors"))
                    .hasSameBinaryContentAs(adapter.resolve("adapter_model.safetensors"));
        } finally {
            System.clearProperty("DJL_CACHE_DIR");
        }
        assertThat(entry.artifactId()).isEqualTo(mrl.getArtifactId());
    }
}
