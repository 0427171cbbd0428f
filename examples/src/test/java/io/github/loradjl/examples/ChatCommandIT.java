package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.zoo.TinyStoryLlama;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Conversations with the model that ships, given a chat template, and texts in batches. */
class ChatCommandIT {

    private static final String TEMPLATE =
            "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";

    @TempDir private Path folder;
    private final InputStream before = System.in;
    private Path model;

    @BeforeEach
    void copyTheModel() throws IOException {
        model = Files.createDirectory(folder.resolve("model"));
        try (Stream<Path> files = Files.list(TinyStoryLlama.folder())) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
        Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
    }

    @AfterEach
    void giveTheInputBack() {
        System.setIn(before);
    }

    private CommandLine chat(String input, Object... more) {
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        Object[] first = {"chat", "--model", model, "--max-new-tokens", 6};
        return CommandLine.run(Stream.concat(Stream.of(first), Stream.of(more)).toArray());
    }

    private String answer(String rendered) {
        return CommandLine.run(
                        "generate",
                        "--model",
                        model,
                        "--max-new-tokens",
                        6,
                        "--greedy",
                        "--prompt",
                        rendered)
                .out();
    }

    @Test
    void chat_piped_answersEachLineAndRemembers() {
        CommandLine run = chat("One day\nand then\n");
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        String first =
                CommandLine.run(
                                "generate",
                                "--model",
                                model,
                                "--chat",
                                "--max-new-tokens",
                                6,
                                "--prompt",
                                "One day")
                        .out();
        assertThat(run.out()).startsWith(first);
        String second = run.out().substring(first.length());
        CommandLine alone = chat("and then\n");
        assertThat(second).as("the first turn is seen").isNotEqualTo(alone.out());
        assertThat(chat("One day\n/reset\nand then\n").out()).isEqualTo(first + alone.out());
    }

    @Test
    void chat_system_isSeen() {
        String plain = chat("One day\n").out();
        assertThat(chat("One day\n", "--system", "Tell about Otto the bear and a kite.").out())
                .isNotEqualTo(plain);
    }

    @Test
    void chat_endsAtAnEmptyLineOrQuit() {
        String first = chat("One day\n").out();
        assertThat(chat("One day\n\nmore\n").out()).isEqualTo(first);
        assertThat(chat("One day\n/quit\nmore\n").out()).isEqualTo(first);
        assertThat(chat("").out()).isEmpty();
    }

    @Test
    void chat_longerThanTheModel_forgetsTheOldestAndSaysSo() throws IOException {
        Path file = model.resolve("config.json");
        JsonObject config = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        config.addProperty("max_position_embeddings", 40);
        Files.writeString(file, config.toString());
        CommandLine run = chat("One day a fox\nthe bear said\nthen they played by the river\n");
        assertThat(run.code()).isZero();
        assertThat(run.out().lines()).hasSize(3);
        assertThat(run.err()).contains("messages are forgotten");
        CommandLine tooLong = chat("One day ".repeat(40) + "\nOne day\n");
        assertThat(tooLong.err()).contains("the message takes", "shorten it");
        assertThat(tooLong.out()).isEqualTo(chat("One day\n").out());
    }

    @Test
    void chat_withoutATemplate_isNamed() throws IOException {
        Files.delete(model.resolve("chat_template.jinja"));
        CommandLine run = chat("One day\n");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("lora: ").contains("no chat template");
    }

    @Test
    void generate_severalPrompts_giveLinesEqualToEachAlone() throws IOException {
        Path prompts =
                Files.write(folder.resolve("prompts.txt"), List.of("Mira the fox", "", "One day"));
        CommandLine run =
                CommandLine.run(
                        "generate",
                        "--model",
                        model,
                        "--prompts",
                        prompts,
                        "--max-new-tokens",
                        6,
                        "--batch-size",
                        2);
        assertThat(run.err()).isEmpty();
        List<JsonObject> lines =
                run.out().lines().map(l -> JsonParser.parseString(l).getAsJsonObject()).toList();
        assertThat(lines).hasSize(2);
        for (JsonObject line : lines) {
            assertThat(line.get("output").getAsString() + System.lineSeparator())
                    .isEqualTo(answer(line.get("prompt").getAsString()));
        }
        assertThat(
                        CommandLine.run(
                                        "generate",
                                        "--model",
                                        model,
                                        "--prompt",
                                        "Mira the fox",
                                        "--prompt",
                                        "One day",
                                        "--max-new-tokens",
                                        6)
                                .out())
                .isEqualTo(run.out());
    }

    @Test
    void generate_promptsOfAnEmptyOrMissingFile_areNamed() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.txt"));
        CommandLine run = CommandLine.run("generate", "--prompts", empty);
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("empty.txt", "holds no text");
        CommandLine missing = CommandLine.run("generate", "--prompts", folder.resolve("none"));
        assertThat(missing.code()).isEqualTo(1);
        assertThat(missing.err()).contains("no such file", "none");
        CommandLine both = CommandLine.run("generate", "--prompts", empty, "--prompt", "x");
        assertThat(both.code()).isEqualTo(2);
    }
}
