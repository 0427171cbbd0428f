package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.loradjl.zoo.LoraModelZoo;
import io.github.loradjl.zoo.repository.AdapterRepositories;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A run becomes a card, a version in a repository and a jar. */
class PublishCommandIT {

    @TempDir private static Path folder;
    private static Path adapter;

    @BeforeAll
    static void finetune() {
        System.setProperty("lora.examples", ".");
        Path out = folder.resolve("story-answers");
        CommandLine run = CommandLine.run("finetune", "--out", out, "--max-steps", 3, "--rank", 4);
        assertThat(run.err()).isEmpty();
        adapter = out.resolve("adapter");
    }

    @AfterAll
    static void forgetExamples() {
        System.clearProperty("lora.examples");
    }

    @Test
    void card_ofARun_hasFrontMatterAndTheRunsOwnRecords() throws IOException {
        CommandLine card = CommandLine.run("card", adapter, "--license", "apache-2.0");
        assertThat(card.err()).isEmpty();
        assertThat(card.out()).isEqualTo(adapter.resolve("README.md") + System.lineSeparator());
        String text = Files.readString(adapter.resolve("README.md"));
        assertThat(text)
                .startsWith("---\nbase_model: tiny-story-llama\nlibrary_name: peft\n")
                .contains("license: apache-2.0", "- \"base_model:adapter:tiny-story-llama\"")
                .contains("pipeline_tag: text-generation", "- lora\n", "- lora_ga\n")
                .contains("model-index:", "eval_loss", "| rank | 4 |", "| learning_rate | ")
                .contains("# story-answers", "```java", "```python", "AutoModelForCausalLM");
        Map<?, ?> settings =
                new Yaml(new SafeConstructor(new LoaderOptions())).load(text.split("---")[1]);
        assertThat(settings.get("base_model")).isEqualTo("tiny-story-llama");
        assertThat((List<?>) settings.get("model-index")).hasSize(1);
        CommandLine again = CommandLine.run("card", adapter);
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err()).contains("README.md exists already").hasLineCount(1);
        CommandLine other =
                CommandLine.run("card", adapter, "--overwrite", "--license", "apache-2.0");
        assertThat(other.code()).isZero();
        assertThat(adapter.resolve("README.md")).hasContent(text);
        // The card's licence is enough to publish.
        CommandLine published =
                CommandLine.run("publish", adapter, "--to", folder.resolve("by-card"));
        assertThat(published.out()).contains("io.github.loradjl:story-answers:0.0.1");
    }

    @Test
    void publish_folder_isListedVerifiedAndUsed() throws Exception {
        Path repository = folder.resolve("repository");
        Object[] publish = {
            "publish", adapter, "--to", repository, "--license", "apache-2.0", "--name", "answers"
        };
        CommandLine published = CommandLine.run(publish);
        assertThat(published.err()).isEmpty();
        assertThat(published.out().strip()).isEqualTo("io.github.loradjl:answers:0.0.1");
        CommandLine again = CommandLine.run(publish);
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err()).contains("is published already").hasLineCount(1);
        CommandLine next = CommandLine.run(with(publish, "--version", "0.0.2"));
        assertThat(next.code()).isZero();
        CommandLine listed = CommandLine.run("adapters", repository);
        assertThat(listed.err()).isEmpty();
        assertThat(listed.code()).isZero();
        assertThat(listed.out().lines()).hasSize(3);
        assertThat(listed.out())
                .contains("io.github.loradjl:answers", "0.0.2", "tiny-story-llama", "lora_ga")
                .contains("eval_loss", "right");
        LoraModelZoo.addRepository(repository.toString());
        assertThat(AdapterRepositories.find("answers").entry().version()).isEqualTo("0.0.2");
        CommandLine byFolder = generate(adapter);
        assertThat(byFolder.out()).isNotBlank();
        assertThat(generate("answers").out()).isEqualTo(byFolder.out());
        assertThat(generate("io.github.loradjl:answers:0.0.1").out()).isEqualTo(byFolder.out());
        assertThat(CommandLine.run("inspect", "--adapter", "answers").out()).contains("rank 4");
        Path more = folder.resolve("more");
        CommandLine on =
                CommandLine.run(
                        "finetune", "--init-adapter", "answers", "--out", more, "--max-steps", 1);
        assertThat(on.code()).isZero();
        assertThat(more.resolve("config.yaml")).content().contains("init_adapter: answers");
        assertThat(CommandLine.run("inspect", "--adapter", more.resolve("adapter")).out())
                .contains("rank 4");
        CommandLine missing = generate("questions");
        assertThat(missing.code()).isEqualTo(1);
        assertThat(missing.err()).contains("questions", "owner/name").hasLineCount(1);
        AdapterRepositories.remove(repository.toString());
        Path zip;
        try (Stream<Path> files = Files.walk(repository)) {
            zip = files.filter(f -> f.toString().endsWith("0.0.1.zip")).findFirst().orElseThrow();
        }
        Files.write(zip, new byte[] {1, 2, 3});
        CommandLine damaged = CommandLine.run("adapters", repository);
        assertThat(damaged.code()).isEqualTo(1);
        assertThat(damaged.out()).contains("damaged", "right");
        assertThat(damaged.err()).contains("answers-0.0.1.zip", "3 of").hasLineCount(1);
    }

    @Test
    void publish_jar_isARepositoryOfItsOwn() {
        Path jar = folder.resolve("answers-0.0.1.jar");
        CommandLine published =
                CommandLine.run(
                        "publish",
                        adapter,
                        "--to",
                        jar,
                        "--license",
                        "mit",
                        "--group",
                        "com.example");
        assertThat(published.err()).isEmpty();
        assertThat(CommandLine.run("adapters", jar).out()).contains("com.example:story-answers");
    }

    @Test
    void publish_withoutALicence_isOneLineThatSaysSo() throws IOException {
        Path copy = Files.createDirectories(folder.resolve("copy/adapter"));
        for (String name :
                new String[] {
                    "lora_djl.json", "adapter_config.json", "adapter_model.safetensors"
                }) {
            Files.copy(adapter.resolve(name), copy.resolve(name));
        }
        CommandLine run = CommandLine.run("publish", copy, "--to", folder.resolve("none"));
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("licence").hasLineCount(1);
        assertThat(folder.resolve("none")).doesNotExist();
        run = CommandLine.run("adapters", folder.resolve("none"));
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("none").hasLineCount(1);
    }

    @Test
    void commands_wrongFolders_areOneLineThatNamesThem() {
        CommandLine card = CommandLine.run("card", adapter, "--run", folder.resolve("nowhere"));
        assertThat(card.code()).isEqualTo(1);
        assertThat(card.err()).contains("not a folder: --run ", "nowhere").hasLineCount(1);
        CommandLine listed = CommandLine.run("adapters", adapter);
        assertThat(listed.code()).isEqualTo(1);
        assertThat(listed.out()).isEmpty();
        assertThat(listed.err()).contains(adapter + " is no repository").hasLineCount(1);
    }

    private static CommandLine generate(Object named) {
        return CommandLine.run(
                "generate", "--prompt", "Once", "--max-new-tokens", 8, "--adapter", named);
    }

    private static Object[] with(Object[] arguments, Object... more) {
        return Stream.concat(Stream.of(arguments), Stream.of(more)).toArray();
    }
}
