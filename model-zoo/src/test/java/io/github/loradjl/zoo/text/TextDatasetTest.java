package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;

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
import java.util.SortedMap;
import java.util.TreeMap;

/** Tokens here: 1 begins, 2 ends, 3 is "a", 4 is "b". */
class TextDatasetTest {

    @TempDir Path folder;

    private NDManager manager;
    private TextTokenizer tokenizer;

    @BeforeEach
    void open() throws IOException {
        WordTokenizer.write(folder);
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"}");
        tokenizer = TextTokenizer.load(folder);
        manager = NDManager.newBaseManager(Device.cpu());
    }

    @AfterEach
    void close() {
        tokenizer.close();
        manager.close();
    }

    @Test
    void getData_mixedRows_masksPromptsAndPadding() throws IOException {
        Path file =
                jsonl(
                        "{\"prompt\": \"a b \", \"completion\": \"b a\"}",
                        "{\"text\": \"a a\"}",
                        "{\"completion\": \"b\", \"prompt\": \"\", \"id\": 7}");
        try (Batch batch = data(file, 3).build().getData(manager).iterator().next()) {
            assertThat(rows(batch, 0)).isEqualTo("3 4 4 3 2 | 3 3 2 2 2 | 4 2 2 2 2");
            assertThat(rows(batch, 1)).isEqualTo("1 1 1 1 1 | 1 1 1 0 0 | 1 1 0 0 0");
            assertThat(rows(batch, 2))
                    .isEqualTo("-100 -100 4 3 2 | 3 3 2 -100 -100 | 4 2 -100 -100 -100");
            assertThat(batch.getSize()).isEqualTo(3);
            assertThat(batch.getData().head().getDataType()).isEqualTo(DataType.INT64);
            assertThat(batch.getLabels().head().getDataType()).isEqualTo(DataType.INT64);
        }
    }

    @Test
    void getData_otherKeysSeparatorAndPrompt_areUsed() throws IOException {
        Path file = jsonl("{\"question\": \"a\", \"answer\": \"b\"}", "{\"body\": \"b b\"}");
        TextDataset data =
                data(file, 2)
                        .optKeys("question", "answer")
                        .optTextKey("body")
                        .optPromptFormat("{prompt} b ")
                        .optTrainOnPrompt(true)
                        .build();
        try (Batch batch = data.getData(manager).iterator().next()) {
            assertThat(rows(batch, 0)).isEqualTo("3 4 4 2 | 4 4 2 2");
            assertThat(rows(batch, 2)).isEqualTo("3 4 4 2 | 4 4 2 -100");
        }
    }

    @Test
    void getData_endTokenWrittenOut_isNotDoubled() throws IOException {
        Path file =
                jsonl(
                        "{\"prompt\": \"a </s> \", \"completion\": \"b </s>\"}",
                        "{\"text\": \"a </s>\"}");
        try (Batch batch = data(file, 2).build().getData(manager).iterator().next()) {
            assertThat(rows(batch, 0)).isEqualTo("3 2 4 2 | 3 2 2 2");
            assertThat(rows(batch, 2)).isEqualTo("-100 -100 4 2 | 3 2 -100 -100");
        }
    }

    @Test
    void prepare_byteOrderMarkCarriageReturnsAndBlankLines_areReadOver() throws IOException {
        Path file = folder.resolve("windows.jsonl");
        Files.writeString(file, "\ufeff{\"text\": \"a\"}\r\n\r\n  \r\n{\"text\": \"b\"}");
        assertThat(data(file, 1).build().getReport())
                .isEqualTo(new TextReport(2, 4, 2, 0, 0, 0, 0, 0, percentiles(2, 2, 2, 2, 2, 2)));
    }

    @Test
    void getReport_longRows_countsWhatWasCutAndDropped() throws IOException {
        Path file =
                jsonl(
                        "{\"text\": \"a a\"}",
                        "{\"text\": \"a a a a a\"}",
                        "{\"prompt\": \"a a a a \", \"completion\": \"b\"}",
                        "{\"prompt\": \"a a a \", \"completion\": \"b b b\"}");
        TextDataset data = data(file, 4).optMaxLength(4).build();
        TextReport report = data.getReport();
        assertThat(report)
                .isEqualTo(
                        new TextReport(
                                3,
                                11,
                                2 + 3 + 1,
                                2,
                                5,
                                2 + 3,
                                1,
                                0,
                                percentiles(3, 3, 4, 4, 4, 4)));
        assertThat(report.toString()).contains("2 rows truncated by 5 tokens", "1 rows dropped");
        try (Batch batch = data.getData(manager).iterator().next()) {
            assertThat(rows(batch, 0)).isEqualTo("3 3 2 2 | 3 3 3 3 | 3 3 3 4");
        }
    }

    @Test
    void prepare_everyAnswerCutOff_isAnError() throws IOException {
        Path file = jsonl("{\"prompt\": \"a a a a \", \"completion\": \"b\"}");
        assertThatThrownBy(() -> data(file, 1).optMaxLength(4).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("nothing to learn", "optMaxLength");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"text\": \"a\"            | malformed JSON | column",
                "{\"text\": \"a\"} {}        | something follows | JSON",
                "{'text': 'a'}               | malformed JSON | column",
                "[1, 2]                      | not a JSON object | text",
                "{\"prompt\": \"a\"}         | no \"completion\" | completion",
                "{\"prompt\": \"a\", \"completion\": \"\"} | \"completion\" is empty | learn",
                "{\"completion\": \"a\"}     | no \"prompt\" | prompt",
                "{\"text\": \"\"}            | \"text\" is empty | learn",
                "{\"text\": 3}               | not a string but 3 | text",
                "{\"text\": null}            | no \"text\" | text",
                "{\"txt\": \"a\"}            | [txt] | optKeys",
                "{\"text\": \"a\", \"prompt\": \"b\"} | which | text",
                "\"a\"                       | not a JSON object | text",
            })
    void prepare_lineThatIsWrong_namesFileLineAndReason(String line, String reason, String more)
            throws IOException {
        Path file = jsonl("{\"text\": \"a\"}", "", line, "{\"text\": \"b\"}");
        assertThatThrownBy(() -> data(file, 1).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(file + ", line 3: ", reason, more)
                .hasMessageNotContaining("http");
    }

    @Test
    void prepare_fileThatIsWrong_isNamed() throws IOException {
        assertThatThrownBy(() -> data(jsonl(""), 1).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("rows.jsonl holds no rows", "\"prompt\"");
        Path latin = folder.resolve("latin.jsonl");
        Files.write(latin, "{\"text\": \"a\"}\n\"\u00e9\"".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> data(latin, 1).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("latin.jsonl, line 2", "UTF-8");
        Path blank = Files.writeString(folder.resolve("blank.txt"), " \n");
        assertThatThrownBy(() -> data(blank, 1).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("blank.txt holds no text");
        Path table = Files.writeString(folder.resolve("rows.xlsx"), "a,b");
        assertThatThrownBy(() -> data(table, 1).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("rows.xlsx", ".jsonl", ".csv", ".txt");
        assertThatThrownBy(() -> data(folder.resolve("none.jsonl"), 1).build().prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("none.jsonl");
    }

    @Test
    void getData_plainText_isCutIntoBlocks() throws IOException {
        Path file = Files.writeString(folder.resolve("text.txt"), "\ufeffa b\r\na a b\n");
        try (Batch batch =
                data(file, 4).optMaxLength(4).build().getData(manager).iterator().next()) {
            assertThat(rows(batch, 0)).isEqualTo("3 4 3 3 | 4 2 2 2");
            assertThat(rows(batch, 2)).isEqualTo("3 4 3 3 | 4 2 -100 -100");
        }
    }

    @Test
    void fit_underEasyTrain_learns() throws Exception {
        SequentialBlock block =
                new SequentialBlock()
                        .add(
                                new LambdaBlock(
                                        list ->
                                                new NDList(
                                                        list.head()
                                                                .oneHot(5)
                                                                .toType(DataType.FLOAT32, false))))
                        // Of a last layer alone the gradients sum to zero, by which DJL believes
                        // that there are none.
                        .add(Linear.builder().setUnits(8).build())
                        .add(Linear.builder().setUnits(5).build());
        Path file = jsonl("{\"text\": \"a b a b\"}", "{\"text\": \"b a b a b a\"}");
        TextDataset data = data(file, 2).build();
        try (Model model = Model.newInstance("bigrams", Device.cpu())) {
            model.setBlock(block);
            DefaultTrainingConfig config =
                    new DefaultTrainingConfig(new CausalLmLoss())
                            .optDevices(new Device[] {Device.cpu()})
                            .optOptimizer(
                                    Optimizer.adam()
                                            .optLearningRateTracker(Tracker.fixed(0.2f))
                                            .build())
                            .addTrainingListeners(TrainingListener.Defaults.basic());
            try (Trainer trainer = model.newTrainer(config)) {
                trainer.initialize(new Shape(2, 7), new Shape(2, 7));
                EasyTrain.fit(trainer, 30, data, data);
                // What remains is where each row ends, which bigrams cannot know.
                assertThat(trainer.getTrainingResult().getValidateLoss()).isLessThan(0.6f);
            }
        }
    }

    private static SortedMap<Integer, Integer> percentiles(int... lengths) {
        SortedMap<Integer, Integer> result = new TreeMap<>();
        int[] numbers = {5, 25, 50, 75, 95, 100};
        for (int i = 0; i < lengths.length; i++) {
            result.put(numbers[i], lengths[i]);
        }
        return result;
    }

    private Path jsonl(String... lines) throws IOException {
        return Files.writeString(folder.resolve("rows.jsonl"), String.join("\n", lines));
    }

    private TextDataset.Builder data(Path file, int batchSize) {
        return TextDataset.builder()
                .setTokenizer(tokenizer)
                .setFile(file)
                .setSampling(batchSize, false);
    }

    /** Writes an array of a batch down: 0 the ids, 1 the mask, 2 the labels. */
    private static String rows(Batch batch, int which) {
        NDList arrays = new NDList(batch.getData());
        arrays.addAll(batch.getLabels());
        long[] values = arrays.get(which).toLongArray();
        int columns = (int) arrays.get(which).getShape().get(1);
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < values.length; i++) {
            if (i > 0) {
                rows.append(i % columns == 0 ? " | " : " ");
            }
            rows.append(values[i]);
        }
        return rows.toString();
    }
}
