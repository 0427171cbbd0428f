package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Rows of all shapes. The tokenizer knows the words {@code a} as 3, {@code b} as 4, {@code <s>} as
 * 1, {@code </s>} as 2 and all others as 0.
 */
class TextRowsTest {

    private static final String TURN = "<s> {{ m.role }} {{ m.content }} </s>\n";

    private static final ChatTemplate TEMPLATE =
            ChatTemplate.of(
                    "{% for m in messages %}"
                            + TURN
                            + "{% endfor %}{% if add_generation_prompt %}<s> assistant {% endif %}",
                    Map.of());

    @TempDir Path folder;
    private TextTokenizer tokenizer;
    private NDManager manager;

    @BeforeEach
    void open() throws IOException {
        WordTokenizer.write(folder);
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"eos_token\": \"</s>\"}");
        tokenizer = TextTokenizer.load(folder);
        manager = NDManager.newBaseManager();
    }

    @AfterEach
    void close() {
        manager.close();
        tokenizer.close();
    }

    @Test
    void getData_conversation_learnsTheAssistantsTurnsOnly() throws IOException {
        Path file =
                write(
                        "rows.jsonl",
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"b a\"},"
                                + " {\"role\": \"user\", \"content\": \"b\"},"
                                + " {\"role\": \"assistant\", \"content\": \"a\"}]}");
        TextDataset data = data(file).optChatTemplate(TEMPLATE).build();
        assertThat(ids(data)).containsExactly("1 0 3 2 1 0 4 3 2 1 0 4 2 1 0 3 2");
        assertThat(labels(data)).containsExactly(". . . . . . 4 3 2 . . . . . . 3 2");
        assertThat(data.getReport().keptLabels()).isEqualTo(5);
        assertThat(labels(data(file).optChatTemplate(TEMPLATE).optMaxLength(8).build()))
                .containsExactly(". . . . . . 4 3");
        assertThat(labels(data(file).optChatTemplate(TEMPLATE).optTrainOnPrompt(true).build()))
                .containsExactly("1 0 3 2 1 0 4 3 2 1 0 4 2 1 0 3 2");
    }

    @Test
    void getData_templateWithGenerationBlocks_learnsThem() throws IOException {
        ChatTemplate template =
                ChatTemplate.of(
                        "{% for m in messages %}<s> {% if m.role == 'assistant' %}{% generation %}"
                                + "{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}"
                                + "{% endif %} </s>{% endfor %}",
                        Map.of());
        Path file =
                write(
                        "rows.jsonl",
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"b a\"}]}");
        TextDataset data = data(file).optChatTemplate(template).build();
        assertThat(labels(data)).containsExactly(". . . . 4 3 .");
        // Only what stands within the blocks, turn by turn; here they hold the end token as well.
        ChatTemplate ended =
                ChatTemplate.of(
                        "{% for m in messages %}<s> {% if m.role == 'assistant' %}{% generation %}"
                                + "{{ m.content }} </s> {% endgeneration %}{% else %}"
                                + "{{ m.role }} {{ m.content }} </s> {% endif %}{% endfor %}b",
                        Map.of());
        Path turns =
                write(
                        "turns.jsonl",
                        "{\"messages\": [{\"role\": \"system\", \"content\": \"b b\"},"
                                + " {\"role\": \"user\", \"content\": \"a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"b a\"},"
                                + " {\"role\": \"user\", \"content\": \"b a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"a b\"},"
                                + " {\"role\": \"user\", \"content\": \"a\"}]}");
        TextDataset several = data(turns).optChatTemplate(ended).build();
        assertThat(ids(several))
                .containsExactly("1 0 4 4 2 1 0 3 2 1 4 3 2 1 0 4 3 2 1 3 2 1 3 4 2 1 0 3 2 4");
        assertThat(labels(several))
                .containsExactly(". . . . . . . . . . 4 3 2 . . . . . . 3 2 . 3 4 2 . . . . .");
        assertThat(several.render(0))
                .hasToString(
                        "[[<s> <unk> b b </s> <s> <unk> a </s> <s>]] b a </s>"
                                + "[[ <s> <unk> b a </s> <s>]] a </s>[[ <s>]] a b </s>"
                                + "[[ <s> <unk> a </s> b]]");
    }

    private static RenderedExample.Stretch answer(String text) {
        return new RenderedExample.Stretch(text, true);
    }

    @Test
    void getReport_conversationsThatAreTooLong_areCutOrDropped() throws IOException {
        String question = "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"},";
        String answer = " {\"role\": \"assistant\", \"content\": \"b a\"}";
        String lengthy = "{\"messages\": [{\"role\": \"user\", \"content\": \"a a a a a\"},";
        Path file =
                write(
                        "rows.jsonl",
                        question + answer + "]}",
                        question + answer + "," + answer + "]}",
                        lengthy + answer + "]}");
        // Nine tokens, fourteen and thirteen; the answers begin at the seventh and the eleventh.
        TextReport report =
                data(file).optChatTemplate(TEMPLATE).optMaxLength(10).build().getReport();
        assertThat(report.rows()).isEqualTo(2);
        assertThat(report.truncatedRows()).isEqualTo(1);
        assertThat(report.truncatedTokens()).isEqualTo(4);
        assertThat(report.droppedRows()).isEqualTo(1);
        assertThat(report.keptLabels()).isEqualTo(3 + 3);
        assertThat(report.toString())
                .isEqualTo(
                        "2 rows, 19 tokens, 6 of them learnt; 1 rows truncated by 4 tokens; 1 rows"
                                + " dropped, nothing to learn in them within the maximum length");
        assertThatThrownBy(
                        () ->
                                data(file)
                                        .optChatTemplate(TEMPLATE)
                                        .optMaxLength(6)
                                        .build()
                                        .prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("nothing to learn", "3 rows within 6 tokens");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data(file).optLimit(0))
                .withMessageContaining("not 0");
    }

    @Test
    void getData_severalTurnsOfARealTemplate_maskAsByHand() throws IOException {
        Path model = SharedRoot.require("checkpoints/SmolLM2-135M-Instruct");
        Path file =
                write(
                        "rows.jsonl",
                        "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"},"
                                + " {\"role\": \"user\", \"content\": \"Hi\"},"
                                + " {\"role\": \"assistant\", \"content\": \"Hello!\"},"
                                + " {\"role\": \"user\", \"content\": \"Bye\"},"
                                + " {\"role\": \"assistant\", \"content\": \"See you.\"}]}");
        String[] stretches = {
            "<|im_start|>system\nBe brief.<|im_end|>\n"
                    + "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
            "Hello!<|im_end|>\n",
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
            "See you.<|im_end|>\n"
        };
        try (TextTokenizer real = TextTokenizer.load(model)) {
            TextDataset data =
                    data(file).setTokenizer(real).optChatTemplate(ChatTemplate.load(model)).build();
            List<String> ids = new ArrayList<>();
            List<String> labels = new ArrayList<>();
            List<RenderedExample.Stretch> pieces = new ArrayList<>();
            for (int i = 0; i < stretches.length; i++) {
                boolean learnt = i % 2 == 1;
                for (long id : real.encode(stretches[i], false)) {
                    ids.add(Long.toString(id));
                    labels.add(learnt ? Long.toString(id) : ".");
                }
                pieces.add(new RenderedExample.Stretch(stretches[i], learnt));
            }
            assertThat(ids(data)).containsExactly(String.join(" ", ids));
            assertThat(labels(data)).containsExactly(String.join(" ", labels));
            assertThat(data.render(0).stretches()).isEqualTo(pieces);
        }
    }

    @Test
    void getData_realTemplateAndSigns_learnsExactlyTheAnswers() throws IOException {
        Path model = SharedRoot.require("checkpoints/SmolLM2-135M-Instruct");
        Path file =
                write(
                        "rows.jsonl",
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"日本 🙂 Hi\"},"
                                + " {\"role\": \"assistant\", \"content\": \"🙂🙂 Grüße, 日本!\"},"
                                + " {\"role\": \"user\", \"content\": \"🙂\"},"
                                + " {\"role\": \"assistant\", \"content\": \"Bye 🙂\"}]}");
        try (TextTokenizer real = TextTokenizer.load(model)) {
            TextDataset data =
                    data(file).setTokenizer(real).optChatTemplate(ChatTemplate.load(model)).build();
            long[] learnt =
                    Arrays.stream(labels(data).get(0).split(" "))
                            .filter(label -> !".".equals(label))
                            .mapToLong(Long::parseLong)
                            .toArray();
            assertThat(real.decode(learnt, false))
                    .isEqualTo("🙂🙂 Grüße, 日本!<|im_end|>\nBye 🙂<|im_end|>\n");
            assertThat(data.getReport().straddlingRows()).isZero();
            List<RenderedExample.Stretch> shown = data.render(0).stretches();
            assertThat(shown).hasSize(4);
            assertThat(shown.get(1)).isEqualTo(answer("🙂🙂 Grüße, 日本!<|im_end|>\n"));
            assertThat(shown.get(3)).isEqualTo(answer("Bye 🙂<|im_end|>\n"));
        }
    }

    @Test
    void getData_alpaca_learnsTheOutput() throws IOException {
        Path file =
                write(
                        "rows.jsonl",
                        "{\"instruction\": \"a\", \"input\": \"b\", \"output\": \"a b\"}",
                        "{\"instruction\": \"a\", \"input\": \"\", \"output\": \"b\"}",
                        "{\"instruction\": \"a\", \"output\": \"b\"}");
        List<String> labels = labels(data(file).build());
        assertThat(labels.get(0)).endsWith(". 3 4 2").contains(". .");
        assertThat(labels.get(1)).endsWith(". 4 2").isEqualTo(labels.get(2));
        RawRow.Keys keys = new RawRow.Keys("text", "prompt", "completion");
        List<RawRow> rows = new ArrayList<>();
        assertThat(DataFiles.read(file, keys, 1, (row, line) -> rows.add(row))).isEqualTo(1);
        assertThat(rows.get(0).prompt())
                .startsWith("Below is an instruction")
                .endsWith("### Instruction:\na\n\n### Input:\nb\n\n### Response:\n");
    }

    @Test
    void getData_tables_areReadByTheirColumns() throws IOException {
        Path comma =
                write(
                        "rows.csv",
                        "\ufeffid,prompt,completion",
                        "1,a b,\"b",
                        "a, b\"",
                        "",
                        "2,\"a \"\"b\",a");
        assertThat(labels(data(comma).optSeparator(" ").build()))
                .containsExactly(". . 4 0 4 2", ". . 3 2");
        Path tab = write("rows.tsv", "text\tnote", "a, b\tx", "b\t");
        assertThat(labels(data(tab).build())).containsExactly("0 4 2", "4 2");
        assertThat(labels(data(tab).optLimit(1).build())).hasSize(1);
    }

    @Test
    void getData_folder_readsEveryDataFileByName() throws IOException {
        Path rows = Files.createDirectory(folder.resolve("rows"));
        Files.writeString(rows.resolve("2.jsonl"), "{\"text\": \"b\"}");
        Files.writeString(rows.resolve("1.csv"), "text\na\n");
        Files.writeString(rows.resolve("notes.md"), "not data");
        Files.writeString(rows.resolve(".hidden.jsonl"), "not data");
        assertThat(labels(data(rows).build())).containsExactly("3 2", "4 2");
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertThatThrownBy(() -> data(empty).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("empty has no .jsonl");
    }

    @Test
    void getData_weights_giveRowsTheirTurns() throws IOException {
        Path often = write("often.jsonl", "{\"text\": \"a\"}", "{\"text\": \"a a\"}");
        Path rare =
                write(
                        "rare.jsonl",
                        "{\"text\": \"b\"}",
                        "{\"text\": \"b b\"}",
                        "{\"text\": \"b b b\"}",
                        "{\"text\": \"b b b b\"}");
        TextDataset data =
                TextDataset.builder()
                        .setTokenizer(tokenizer)
                        .addFile(often, 2)
                        .addFile(rare, 0.5)
                        .setSampling(1, true)
                        .build();
        List<List<String>> epochs = new ArrayList<>();
        for (int epoch = 0; epoch < 6; epoch++) {
            data.setEpoch(epoch);
            List<String> labels = labels(data);
            assertThat(labels).hasSize(6).hasSize(data.getBatchCount());
            assertThat(labels.stream().filter("3 2"::equals)).hasSize(2);
            assertThat(labels.stream().filter("3 3 2"::equals)).hasSize(2);
            List<String> drawn =
                    labels.stream().filter(row -> row.startsWith("4")).sorted().toList();
            assertThat(drawn).doesNotHaveDuplicates().hasSize(2);
            epochs.add(drawn);
        }
        // Six draws of two out of four rows by a fixed seed.
        assertThat(epochs.stream().distinct().count()).isGreaterThan(1);
        data.setEpoch(3);
        assertThat(labels(data).stream().filter(row -> row.startsWith("4")).sorted().toList())
                .isEqualTo(epochs.get(3));
        assertThat(data.calibration(6).getBatchCount()).isEqualTo(6);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TextDataset.builder().addFile(rare, 0))
                .withMessageContaining("weight");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"messages\": []}                      | not a list of messages",
                "{\"messages\": [{\"content\": \"a\"}]}  | an object with a \"role\"",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]} | nothing to learn",
                "{\"messages\": [{\"role\": \"assistant\"}]} | no \"content\"",
                "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}], \"text\": \"a\"}"
                        + " | which",
                "{\"messages\": [{\"role\": \"assistant\", \"content\": \"bad\"}]}"
                        + " | line 1: not that",
                "{\"messages\": [{\"role\": \"assistant\", \"content\": \"last\"}, {\"role\":"
                        + " \"user\", \"content\": \"a\"}]} | message 1 differently",
                "{\"instruction\": \"a\"}                | no \"output\"",
                "{\"instruction\": \"a\", \"prompt\": \"b\"} | which",
            })
    void prepare_rowThatIsWrong_namesFileLineAndReason(String row, String reason)
            throws IOException {
        ChatTemplate template =
                ChatTemplate.of(
                        "{% for m in messages %}{% if m.content == 'bad' %}"
                                + "{{ raise_exception('not that') }}{% endif %}"
                                + "{% if m.content == 'last' and loop.last %}last{% endif %}"
                                + "{{ m.content }}{% endfor %}",
                        Map.of());
        Path file = write("rows.jsonl", "{\"text\": \"a\"}", row);
        assertThatThrownBy(() -> data(file).optChatTemplate(template).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(file + ", line 2: ")
                .hasMessageContaining(reason);
    }

    @Test
    void getData_chat_makesAConversationOfPromptAndCompletion() throws IOException {
        Path file = write("rows.jsonl", "{\"prompt\": \"a\", \"completion\": \"b a\"}");
        TextDataset data = data(file).optChatTemplate(TEMPLATE).optChat(true).build();
        assertThat(ids(data)).containsExactly("1 0 3 2 1 0 4 3 2");
        assertThat(labels(data)).containsExactly(". . . . . . 4 3 2");
        assertThatThrownBy(() -> data(file).optChat(true).build())
                .hasMessageContaining("optChatTemplate");
    }

    @Test
    void prepare_messagesWithoutTemplate_saysWhatToSet() throws IOException {
        Path file =
                write("r.jsonl", "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}");
        assertThatThrownBy(() -> data(file).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("line 1", "optChatTemplate");
    }

    @Test
    void prepare_tableThatIsWrong_namesFileLineAndReason() throws IOException {
        assertFails(write("a.csv", "text", "a", "b,c"), "line 3: the row has 2 cells", "quoted");
        assertFails(write("b.csv", "text,note", "a,x", "\"b\nc\",x", "\"d,x"), "line 5: ", "EOF");
        assertFails(write("c.csv", "text,text", "a,b"), "line 1: ", "duplicate");
        assertFails(write("d.csv", "word", "a"), "line 2: ", "[word]");
        assertFails(write("e.csv", "text"), "holds no rows", "column names");
        Path latin = folder.resolve("f.csv");
        Files.write(latin, "text\n\u00e9".getBytes(StandardCharsets.ISO_8859_1));
        assertFails(latin, "f.csv", "UTF-8");
    }

    private void assertFails(Path file, String place, String reason) {
        assertThatThrownBy(() -> data(file).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(file.toString(), place, reason);
    }

    private Path write(String name, String... lines) throws IOException {
        return Files.writeString(folder.resolve(name), String.join("\n", lines));
    }

    private TextDataset.Builder data(Path path) {
        return TextDataset.builder().setTokenizer(tokenizer).setFile(path).setSampling(1, false);
    }

    private List<String> ids(TextDataset data) throws IOException {
        return rows(data, false);
    }

    private List<String> labels(TextDataset data) throws IOException {
        return rows(data, true);
    }

    /** Writes rows down, with a dot for what is not learnt. */
    private List<String> rows(TextDataset data, boolean labels) throws IOException {
        List<String> rows = new ArrayList<>();
        for (Batch batch : data.getData(manager)) {
            try (batch) {
                long[] values = (labels ? batch.getLabels() : batch.getData()).get(0).toLongArray();
                rows.add(
                        Arrays.stream(values)
                                .mapToObj(value -> value < 0 ? "." : Long.toString(value))
                                .collect(Collectors.joining(" ")));
            }
        }
        return rows;
    }
}
