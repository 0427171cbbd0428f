package io.github.loradjl.zoo.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Application;
import ai.djl.ndarray.NDList;
import ai.djl.repository.MRL;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelZoo;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.init.LoraInit;
import io.github.loradjl.zoo.LoraModelZoo;
import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.TrainedAdapter;
import io.github.loradjl.zoo.repository.AdapterEntry;
import io.github.loradjl.zoo.repository.AdapterRepositories;
import io.github.loradjl.zoo.repository.AdapterRepository;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** An adapter is trained, published in three ways, and loaded from each. */
class PublishedAdapterIT {

    @TempDir private static Path shared;
    private static TrainedAdapter adapter;
    private static Path repository;
    private static Path jar;

    @TempDir private Path folder;

    @BeforeAll
    static void publish() throws Exception {
        adapter = TrainedAdapter.train(shared.resolve("adapter"), LoraInit.loraGa(), 4);
        repository = shared.resolve("repository");
        jar = shared.resolve("answers-0.0.1.jar");
        publication("0.0.1").build().publish(repository);
        publication("0.0.1").build().publishJar(jar);
    }

    private static AdapterPublication.Builder publication(String version) {
        return AdapterPublication.builder()
                .setAdapter(adapter.folder())
                .setName("answers")
                .setVersion(version)
                .optGroupId("com.example")
                .optLicense("apache-2.0");
    }

    @AfterAll
    static void forget() {
        AdapterRepositories.remove(repository.toString());
    }

    private static float[] load(Criteria.Builder<NDList, NDList> criteria) throws Exception {
        try (ZooModel<NDList, NDList> model = criteria.build().loadModel()) {
            return TrainedAdapter.logits(model);
        }
    }

    private static Criteria.Builder<NDList, NDList> arrays() {
        return Criteria.builder().setTypes(NDList.class, NDList.class);
    }

    @Test
    void load_folderJarAndServer_computeTheSameToTheLastBit() throws Exception {
        LoraModelZoo.addRepository(repository.toString());
        float[] here =
                load(
                        arrays().optGroupId("com.example")
                                .optArtifactId("answers")
                                .optFilter("rank", "4"));
        assertThat(here).containsExactly(adapter.logits(), Offset.offset(1e-5f));
        MRL listed =
                ModelZoo.listModels().get(Application.NLP.TEXT_GENERATION).stream()
                        .filter(mrl -> mrl.getGroupId().equals("com.example"))
                        .findFirst()
                        .orElseThrow();
        assertThat(listed.match(Map.of("base", "tiny-story-llama")).getVersion())
                .isEqualTo("0.0.1");
        float[] byBase =
                load(
                        arrays().optGroupId(LoraModelZoo.GROUP_ID)
                                .optArtifactId(TinyStoryLlama.NAME)
                                .optArgument("adapter", "com.example:answers:0.0.1"));
        assertThat(byBase).isEqualTo(here);
        try (FileServer server = new FileServer(repository)) {
            assertThat(FreshProcess.run(empty("http"), server.url(), null)).isEqualTo(here);
            assertThat(server.requests()).hasSize(3);
        }
        assertThat(FreshProcess.run(empty("folder"), repository.toString(), null)).isEqualTo(here);
        assertThat(FreshProcess.run(empty("jar"), jar.toString(), null)).isEqualTo(here);
        assertThat(FreshProcess.run(empty("class-path"), null, jar)).isEqualTo(here);
    }

    private Path empty(String name) throws IOException {
        return Files.createDirectory(folder.resolve(name));
    }

    @Test
    void addRepository_groupOfAnotherZoo_doesNotTakeItsPlace() throws Exception {
        Path hostile = folder.resolve("hostile");
        String taken =
                ModelZoo.listModelZoo().stream()
                        .map(ModelZoo::getGroupId)
                        .filter(id -> id.startsWith("ai.djl"))
                        .findFirst()
                        .orElseThrow();
        ModelZoo before = ModelZoo.getModelZoo(taken);
        publication("0.0.1").optGroupId(taken).build().publish(hostile);
        LoraModelZoo.addRepository(hostile.toString());
        AdapterRepositories.remove(hostile.toString());
        assertThat(ModelZoo.getModelZoo(taken)).isSameAs(before);
    }

    @Test
    void load_anotherBase_namesBothUnlessForced() throws Exception {
        LoraModelZoo.addRepository(repository.toString());
        Path other = folder.resolve("other-base");
        otherBase(other);
        Criteria.Builder<NDList, NDList> criteria =
                arrays().optGroupId("com.example")
                        .optArtifactId("answers")
                        .optArgument("base", other)
                        .optModelName("other-base");
        assertThatThrownBy(() -> load(criteria))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("belongs to another base: tiny-story-llama")
                .hasMessageContaining("other-base");
        assertThat(load(criteria.optArgument("forceAdapter", "true"))).isNotEmpty();
    }

    /** The same model with one weight changed. */
    private static void otherBase(Path target) throws IOException {
        Path base = TinyStoryLlama.folder();
        Files.createDirectory(target);
        for (String name :
                new String[] {
                    "config.json",
                    "tokenizer.json",
                    "tokenizer_config.json",
                    "generation_config.json"
                }) {
            Files.copy(base.resolve(name), target.resolve(name));
        }
        byte[] weights = Files.readAllBytes(base.resolve("model.safetensors"));
        for (int i = weights.length - 200_000; i < weights.length; i += 4) {
            weights[i] ^= 1;
        }
        Files.write(target.resolve("model.safetensors"), weights);
    }

    @Test
    void verify_changedOrMissingArchive_isRefused() throws Exception {
        Path copy = folder.resolve("copy");
        publication("3.0.0").optMetrics(Map.of("a", 1.0)).build().publish(copy);
        AdapterRepository opened = AdapterRepository.open(copy);
        Path zip = copy.resolve(opened.getEntries().get(0).archive().path());
        byte[] bytes = Files.readAllBytes(zip);
        bytes[bytes.length / 2] ^= 1;
        Files.write(zip, bytes);
        assertThatThrownBy(() -> opened.verify(opened.getEntries().get(0)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("checksum is wrong");
        Files.delete(zip);
        assertThatThrownBy(() -> opened.verify(opened.getEntries().get(0)))
                .isInstanceOf(IOException.class);
    }

    @Test
    void download_adapter_bringsItsBaseToo() throws Exception {
        Path repo = folder.resolve("repo");
        publication("0.0.1").setName("lone").optBase("own/er").build().publish(repo);
        LoraModelZoo.addRepository(repo.toString());
        System.setProperty("HF_HUB_CACHE", folder.resolve("hub").toString());
        System.setProperty("HF_HUB_OFFLINE", "1");
        try {
            Criteria<NDList, NDList> criteria =
                    arrays().optGroupId("com.example").optArtifactId("lone").build();
            assertThatThrownBy(criteria::downloadModel)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("own/er is not in the cache");
            AdapterRepositories.find("lone").fetch();
            assertThat(criteria.isDownloaded()).isFalse();
            Criteria<NDList, NDList> other =
                    arrays().optGroupId("com.example")
                            .optArtifactId("lone")
                            .optArgument("base", TinyStoryLlama.folder().toString())
                            .build();
            other.downloadModel();
            assertThat(other.isDownloaded()).isTrue();
        } finally {
            System.clearProperty("HF_HUB_CACHE");
            System.clearProperty("HF_HUB_OFFLINE");
            AdapterRepositories.remove(repo.toString());
        }
    }

    @Test
    void load_baseNobodyKnows_saysHowToGiveIt() throws Exception {
        Path repo = folder.resolve("repo");
        publication("0.0.1").setName("orphan").optBase("my-own-model").build().publish(repo);
        String local = TinyStoryLlama.folder().toString();
        AdapterEntry spy = publication("0.0.1").setName("spy").build().publish(repo);
        Path metadata = repo.resolve(spy.archive().path()).resolve("../../metadata.json");
        String text = Files.readString(metadata.normalize());
        Files.writeString(metadata.normalize(), text.replace("tiny-story-llama", local));
        LoraModelZoo.addRepository(repo.toString());
        try {
            assertThatThrownBy(
                            () -> load(arrays().optGroupId("com.example").optArtifactId("orphan")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("my-own-model")
                    .hasMessageContaining("argument base");
            // A repository must not choose among the folders of this machine.
            assertThatThrownBy(() -> load(arrays().optGroupId("com.example").optArtifactId("spy")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(local);
            float[] given =
                    load(
                            arrays().optGroupId("com.example")
                                    .optArtifactId("orphan")
                                    .optArgument("base", TinyStoryLlama.folder().toString()));
            assertThat(given).containsExactly(adapter.logits(), Offset.offset(1e-5f));
        } finally {
            AdapterRepositories.remove(repo.toString());
        }
    }
}
