package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.zoo.text.chat.ChatTemplate;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Rows for an encoder with a decoder. Tokens here: 0 pads, 1 ends, 2 to 21 are "a" to "t", 22 is
 * any other word, 30 to 33 are sentinels.
 */
class EncoderDecoderRowsTest extends WordRows {

    private static final ChatTemplate TEMPLATE =
            ChatTemplate.of(
                    "{% for m in messages %}{{ m.role[0] }} {{ m.content }} {% endfor %}"
                            + "{% if add_generation_prompt %}a {% endif %}",
                    Map.of());

    private static final String ALL = "a b c d e f g h i j k l m n o p q r s t";

    @Override
    void writeTokenizer() throws IOException {
        WordTokenizer.writeLetters(folder, true);
    }

    @Override
    TextDataset.Builder data(Path path) {
        return super.data(path).optEncoderDecoder(true);
    }

    @Test
    void getData_promptsAndCompletions_arePaddedApart() throws IOException {
        Path file =
                write(
                        "rows.jsonl",
                        "{\"prompt\": \"a b\", \"completion\": \"c d e\"}",
                        "{\"prompt\": \"f g h i\", \"completion\": \"j\"}",
                        "{\"prompt\": \"\", \"completion\": \"k </s>\"}");
        TextDataset data = data(file).setSampling(3, false).build();
        try (Batch batch = data.getData(manager).iterator().next()) {
            assertThat(batch.getData()).hasSize(2);
            assertThat(rows(batch.getData().get(0)))
                    .containsExactly("2 3 1 0 0", "7 8 9 10 1", "1 0 0 0 0");
            assertThat(rows(batch.getData().get(1)))
                    .containsExactly("1 1 1 0 0", "1 1 1 1 1", "1 0 0 0 0");
            assertThat(rows(batch.getLabels().head()))
                    .containsExactly("4 5 6 1", "11 1 . .", "12 1 1 .");
            assertThat(batch.getData().get(0).getDataType()).isEqualTo(DataType.INT64);
            assertThat(batch.getLabels().head().getDataType()).isEqualTo(DataType.INT64);
            assertThat(batch.getSize()).isEqualTo(3);
            assertThat(batch.getIndices().get(1)).isEqualTo(file + ":2");
            Seq2SeqTokens counter = new Seq2SeqTokens();
            assertThat(counter.countTargets(batch)).isEqualTo(4 + 2 + 3);
            assertThat(counter.countInputs(batch)).isEqualTo(3 + 5 + 1 + 9);
        }
        assertThat(data.getEpochReport(0)).isEqualTo(new EpochReport(1, 3, 18, 3 * (5 + 4)));
        TextReport report = data.getReport();
        assertThat(report.tokens()).isEqualTo(18);
        assertThat(report.keptLabels()).isEqualTo(9);
        assertThat(report.lengths().get(100)).isEqualTo(7);
        assertThat(data.render(0).stretches())
                .containsExactly(
                        new RenderedExample.Stretch("a b </s>", false),
                        new RenderedExample.Stretch("c d e </s>", true));
    }

    @Test
    void getReport_longRows_countsBothSides() throws IOException {
        Path file =
                write(
                        "rows.jsonl",
                        "{\"prompt\": \"a b c d e\", \"completion\": \"f g h i\"}",
                        "{\"prompt\": \"a\", \"completion\": \"b\"}");
        TextDataset data = data(file).optMaxLength(4).optMaxTargetLength(2).build();
        // What is asked keeps its end token; an answer that is cut has none to learn.
        assertThat(ids(data)).containsExactly("2 3 4 1", "2 1");
        assertThat(labels(data)).containsExactly("7 8", "3 1");
        TextReport report = data.getReport();
        assertThat(report.truncatedRows()).isEqualTo(1);
        assertThat(report.truncatedTokens()).isEqualTo(2 + 3);
        assertThat(report.truncatedLabels()).isEqualTo(3);
        assertThat(report.keptLabels()).isEqualTo(4);
        assertThat(report.toString()).contains("by 5 tokens, 3 of them to be learnt");
        assertThat(labels(data(file).optMaxLength(3).build())).containsExactly("7 8 9", "3 1");
    }

    @Test
    void getData_conversation_asksAllBeforeTheLastAnswer() throws IOException {
        Path file =
                write(
                        "rows.jsonl",
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"b\"},"
                                + " {\"role\": \"assistant\", \"content\": \"c\"},"
                                + " {\"role\": \"user\", \"content\": \"d\"},"
                                + " {\"role\": \"assistant\", \"content\": \"e f\"},"
                                + " {\"role\": \"user\", \"content\": \"g\"}]}");
        TextDataset data = data(file).optChatTemplate(TEMPLATE).build();
        // u b a c u d a, where u is no word that is known.
        assertThat(ids(data)).containsExactly("22 3 2 4 22 5 2");
        assertThat(labels(data)).containsExactly("6 7 1");
        Path pair = write("pair.jsonl", "{\"prompt\": \"b\", \"completion\": \"c\"}");
        TextDataset chat = data(pair).optChatTemplate(TEMPLATE).optChat(true).build();
        assertThat(ids(chat)).containsExactly("22 3 2");
        assertThat(labels(chat)).containsExactly("4 1");
        assertThatThrownBy(() -> data(file).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("line 1", "optChatTemplate");
        Path first =
                write("r.jsonl", "{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}");
        assertThatThrownBy(() -> data(first).optChatTemplate(TEMPLATE).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("line 1", "nothing is asked");
    }

    @Test
    void getData_texts_haveSpansLeftOut() throws IOException {
        String text = ALL + " " + ALL;
        String line = "{\"text\": \"" + text + "\"}";
        Path file = write("rows.jsonl", line, "{\"text\": \"a\"}", line, line);
        TextDataset data = data(file).build();
        List<String> inputs = ids(data);
        List<String> targets = labels(data);
        for (int i = 0; i < 3; i++) {
            // Six of forty tokens in two spans.
            assertThat(inputs.get(i)).startsWith("2 ").contains(" 30 ", " 31 ").endsWith(" 1");
            assertThat(targets.get(i)).startsWith("30 ").contains(" 31 ").endsWith(" 1");
            assertThat(inputs.get(i).split(" ")).hasSize(40 - 6 + 2 + 1);
            assertThat(restored(inputs.get(i), targets.get(i))).isEqualTo(text);
        }
        // Each row has spans of its own, by its number and the seed.
        assertThat(inputs).doesNotHaveDuplicates().isEqualTo(ids(data(file).build()));
        assertThat(ids(data(file).optSeed(1).build())).isNotEqualTo(inputs);
        // There is nothing to leave out of one token.
        assertThat(data.getReport().droppedRows()).isEqualTo(1);
    }

    @Test
    void prepare_textsOfOneToken_saysThatTwoAreNeeded() throws IOException {
        Path file = write("rows.jsonl", "{\"text\": \"a\"}", "{\"text\": \"b\"}");
        assertThatThrownBy(() -> data(file).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("any of 2 rows", "without a prompt two")
                .hasMessageNotContaining("optMaxLength");
    }

    @Test
    void prepare_textsWithMoreSpansThanSentinels_areCutWithAWarning() throws IOException {
        String text = String.join(" ", ALL, ALL, ALL, ALL, ALL);
        Path rows = write("rows.jsonl", "{\"text\": \"" + text + "\"}");
        PrintStream before = System.err;
        ByteArrayOutputStream heard = new ByteArrayOutputStream();
        TextReport report;
        try {
            System.setErr(new PrintStream(heard, true, StandardCharsets.UTF_8));
            report = data(rows).build().getReport();
        } finally {
            System.setErr(before);
        }
        // Four sentinels are three spans, which hold 10 tokens at most: 0.15 of 70, rounded.
        int kept = 100 - (int) report.truncatedTokens();
        assertThat(kept).isEqualTo(70);
        assertThat(heard.toString(StandardCharsets.UTF_8))
                .containsOnlyOnce("Texts are cut to 70 tokens")
                .contains("4 sentinels");
    }

    @Test
    void getData_longTexts_areCutSoThatBothSidesFit() throws IOException {
        String text = String.join(" ", ALL, ALL, ALL, ALL, ALL);
        Path rows = write("rows.jsonl", "{\"text\": \"" + text + "\"}");
        Path book = write("book.txt", text);
        for (int maxLength : new int[] {8, 15, 60}) {
            for (int maxTarget : new int[] {5, 9}) {
                TextDataset row =
                        data(rows).optMaxLength(maxLength).optMaxTargetLength(maxTarget).build();
                TextDataset blocks =
                        data(book).optMaxLength(maxLength).optMaxTargetLength(maxTarget).build();
                TextReport report = row.getReport();
                int kept = restored(ids(row).get(0), labels(row).get(0)).split(" ").length;
                assertThat(report.truncatedTokens()).isEqualTo(100 - kept);
                assertThat(report.truncatedLabels()).isZero();
                List<String> inputs = ids(blocks);
                List<String> targets = labels(blocks);
                List<String> words = new ArrayList<>();
                for (int i = 0; i < inputs.size(); i++) {
                    assertThat(inputs.get(i).split(" ").length).isLessThanOrEqualTo(maxLength);
                    assertThat(targets.get(i).split(" ").length).isLessThanOrEqualTo(maxTarget);
                    words.add(restored(inputs.get(i), targets.get(i)));
                }
                assertThat(words.get(0).split(" ")).hasSize(kept);
                // A last block of a single token has nothing to leave out.
                String all = String.join(" ", words);
                assertThat(text).startsWith(all);
                assertThat(text.length() - all.length()).isLessThanOrEqualTo(2);
            }
        }
        assertThatThrownBy(() -> data(book).optMaxLength(2).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("book.txt", "optMaxLength");
    }

    /** Puts each span into the place of its sentinel, and tokens into words. */
    private String restored(String input, String target) {
        List<String> written = List.of(target.split(" "));
        List<Long> ids = new ArrayList<>();
        for (String token : input.split(" ")) {
            long id = Long.parseLong(token);
            if (id < 30) {
                ids.add(id);
                continue;
            }
            int at = written.indexOf(token) + 1;
            while (at < written.size()
                    && Long.parseLong(written.get(at)) < 30
                    && !"1".equals(written.get(at))) {
                ids.add(Long.parseLong(written.get(at++)));
            }
        }
        assertThat(ids.remove(ids.size() - 1)).isEqualTo(1);
        return tokenizer.decode(ids.stream().mapToLong(Long::longValue).toArray());
    }

    @Test
    void prepare_textWithoutSentinels_saysWhatToDo() throws IOException {
        super.writeTokenizer();
        Path file = write("rows.jsonl", "{\"text\": \"a b\"}");
        Path book = write("book.txt", "a b a b");
        try (TextTokenizer plain = TextTokenizer.load(folder)) {
            for (Path path : List.of(file, book)) {
                assertThatThrownBy(() -> data(path).setTokenizer(plain).build().prepare())
                        .isInstanceOf(IOException.class)
                        .hasMessageContainingAll(
                                path.toString(), "<extra_id_0>", "prompt and a completion");
            }
        }
    }

    @Test
    void parts_ofShuffledRows_keepBothSides() throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            String prompt = ALL.substring(0, 2 * (i % 7) + 1);
            String completion = ALL.substring(0, 2 * (i % 11) + 1);
            lines.add("{\"prompt\": \"" + prompt + "\", \"completion\": \"" + completion + "\"}");
        }
        Path file = Files.write(folder.resolve("rows.jsonl"), lines);
        TextDataset data = data(file).setSampling(4, true).build();
        TextDataset.Split split = data.split(0.25, 0);
        assertThat(split.validation().getReport().rows()).isEqualTo(15);
        assertThat(
                        split.train().getReport().keptLabels()
                                + split.validation().getReport().keptLabels())
                .isEqualTo(data.getReport().keptLabels());
        long most = 0;
        long positions = 0;
        StringBuilder rest = new StringBuilder();
        int number = 0;
        for (Batch batch : data.getEpoch(manager, 0, 0)) {
            try (batch) {
                long size = batch.getData().head().size() + batch.getLabels().head().size();
                most = Math.max(most, size);
                positions += size;
                if (number++ >= 9) {
                    rest.append(rows(batch.getData().head())).append('\n');
                }
            }
        }
        assertThat(data.getEpochReport(0).positions()).isEqualTo(positions);
        try (Batch longest = data.longestBatch(manager)) {
            assertThat(longest.getData().head().size() + longest.getLabels().head().size())
                    .isEqualTo(most);
        }
        assertThat(contents(data.getEpoch(manager, 0, 9))).isEqualTo(rest.toString());
        try (Batch first = data.calibration(1).getData(manager).iterator().next()) {
            assertThat(first.getIndices().get(0)).isEqualTo(file + ":1");
            assertThat(rows(first.getData().head()).get(1)).isEqualTo("2 3 1 0 0");
            assertThat(rows(first.getLabels().head()).get(1)).isEqualTo("2 3 1 . .");
        }
    }

    @Test
    void build_optionsOfTheOtherKind_areRefused() throws IOException {
        Path file = write("rows.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\"}");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data(file).optPacking(true).build())
                .withMessageContaining("optPacking");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data(file).optTrainOnPrompt(true).build())
                .withMessageContaining("optTrainOnPrompt");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> super.data(file).optMaxTargetLength(4).build())
                .withMessageContaining("optEncoderDecoder");
        assertThatIllegalArgumentException().isThrownBy(() -> data(file).optMaxTargetLength(0));
    }

    @Test
    void prepare_emptyPromptWithoutAnEndToken_isAnError() throws IOException {
        super.writeTokenizer();
        Path file = write("rows.jsonl", "{\"prompt\": \"\", \"completion\": \"b\"}");
        try (TextTokenizer plain = TextTokenizer.load(folder)) {
            assertThatThrownBy(() -> data(file).setTokenizer(plain).build().prepare())
                    .isInstanceOf(IOException.class)
                    .hasMessageContainingAll("line 1", "nothing to read");
        }
    }

    @Test
    void countCorrect_ofLogits_countsTheMostProbable() {
        NDList labels = new NDList(manager.create(new long[][] {{1, 2, -100}}));
        float[] logits = {0, 1, 0, 1, 0, 0, 0, 0, 1};
        NDList predictions = new NDList(manager.create(logits, new Shape(1, 3, 3)));
        assertThat(new Seq2SeqTokens().countCorrect(labels, predictions)).isEqualTo(1);
    }
}
