package io.github.loradjl.zoo.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.loradjl.init.LoraInit;
import io.github.loradjl.zoo.TrainedAdapter;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

class ModelCardTest {

    @TempDir private static Path folder;
    private static Path adapter;

    @BeforeAll
    static void train() throws Exception {
        adapter = TrainedAdapter.train(folder.resolve("adapter"), LoraInit.loraGa(), 4).folder();
    }

    @Test
    void toText_strangeWords_stayWhereTheyBelong() throws IOException {
        String text =
                ModelCard.builder()
                        .setAdapter(adapter)
                        .setName("a \"name\"\n---\nlicense: evil")
                        .optDescription("one\n---\ntwo")
                        .optTrainingData(List.of("data|1.jsonl"))
                        .optSettings(Map.of("a|b", "c|d"))
                        .optMetrics(Map.of("eval_loss", 1.25, "broken", Double.NaN))
                        .optBase("org/no-such-model")
                        .build()
                        .toText();
        assertThat(text.lines().filter("---"::equals)).hasSize(2);
        assertThat(text.lines()).noneMatch(line -> line.startsWith("license:"));
        assertThat(text)
                .startsWith("---\nbase_model: org/no-such-model\n")
                .contains(
                        "value: 1.25",
                        "a\\|b",
                        ".optModelUrls(\"hf://org/no-such-model\")",
                        "# a \"name\"")
                .doesNotContain("broken");
    }

    @Test
    void build_baseThatOnlyThisMachineHas_isRefused() {
        ModelCard.Builder card = ModelCard.builder().setAdapter(adapter).setName("answers");
        for (String base : List.of("/home/me/llama", "C:\\llama", "a b", "../llama", "")) {
            assertThatThrownBy(() -> card.optBase(base).build())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("is called \"" + base + "\"");
        }
    }

    @Test
    void toText_baseNobodyKnows_asksForItsFolder() throws IOException {
        String text =
                ModelCard.builder()
                        .setAdapter(adapter)
                        .setName("answers")
                        .optBase("my-model")
                        .build()
                        .toText();
        assertThat(text).contains("// the folder of my-model", "HuggingFaceFolder.zoo(");
    }

    @Test
    void toText_ofAClassifier_hasNoProgramThatWrites() throws IOException {
        Path classifier = Files.createDirectory(folder.resolve("classifier"));
        String weights = "adapter_model.safetensors";
        Files.copy(adapter.resolve(weights), classifier.resolve(weights));
        for (String name : List.of("adapter_config.json", "lora_djl.json")) {
            String json = Files.readString(adapter.resolve(name));
            Files.writeString(classifier.resolve(name), json.replace("CAUSAL_LM", "SEQ_CLS"));
        }
        String text =
                ModelCard.builder()
                        .setAdapter(classifier)
                        .setName("answers")
                        .optBase("google/flan-t5-small")
                        .optMetrics(Map.of("accuracy", 0.5))
                        .build()
                        .toText();
        assertThat(text)
                .contains("type: text-classification", "| task | SEQ_CLS |")
                .doesNotContain("```", "pipeline_tag");
    }

    @Test
    void write_thenRead_givesBackLicenceAndBase() throws IOException {
        ModelCard card =
                ModelCard.builder()
                        .setAdapter(adapter)
                        .setName("answers")
                        .optLicense("apache-2.0")
                        .build();
        Path file = card.write(false);
        assertThat(FrontMatter.read(file))
                .containsEntry("license", "apache-2.0")
                .containsEntry("base_model", "tiny-story-llama")
                .containsEntry("library_name", "peft");
        assertThatThrownBy(() -> card.write(false))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("exists already");
        Files.writeString(file, "# Words of mine\n");
        card.write(true);
        assertThat(file).hasContent(card.toText());
    }
}
