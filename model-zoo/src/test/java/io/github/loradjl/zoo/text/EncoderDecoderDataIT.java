package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.dataset.Batch;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.evaluate.DatasetLoss;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;

/** Rows for a real T5, and the loss that transformers has for them. */
class EncoderDecoderDataIT {

    @TempDir private Path temporary;

    private static ZooModel<NDList, NDList> model;
    private static TextTokenizer tokenizer;

    @BeforeAll
    static void load() throws Exception {
        Path folder = SharedRoot.require("checkpoints/tiny-t5");
        model = HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
        tokenizer = TextTokenizer.load(folder);
    }

    @AfterAll
    static void close() {
        if (model != null) {
            tokenizer.close();
            model.close();
        }
    }

    private static TextDataset.Builder data(Path file, int batchSize) {
        return TextDataset.builder()
                .setTokenizer(tokenizer)
                .setFile(file)
                .setSampling(batchSize, false)
                .optEncoderDecoder(true);
    }

    @Test
    void rows_haveTheIdsAndTheLossOfTransformers() throws Exception {
        JsonObject expected = expected();
        JsonArray pairs = expected.getAsJsonArray("rows");
        List<String> lines =
                StreamSupport.stream(pairs.spliterator(), false)
                        .map(JsonElement::toString)
                        .toList();
        Path rows = Files.write(temporary.resolve("rows.jsonl"), lines);
        int number = 0;
        for (Batch batch : data(rows, 1).build().getData(model.getNDManager())) {
            try (batch) {
                JsonObject pair = pairs.get(number++).getAsJsonObject();
                assertThat(batch.getData().head().toLongArray()).isEqualTo(ids(pair, "input_ids"));
                assertThat(batch.getLabels().head().toLongArray()).isEqualTo(ids(pair, "labels"));
            }
        }
        assertThat(number).isEqualTo(4);
        for (int batchSize = 1; batchSize <= 4; batchSize++) {
            DatasetLoss loss = DatasetLoss.of(model, data(rows, batchSize).build());
            assertThat(loss.tokens()).isEqualTo(5 + 18 + 6 + 4);
            // Rounding of float32 in another order of sums.
            assertThat(loss.loss()).isCloseTo(expected.get("loss").getAsDouble(), within(1e-4));
        }
        LanguageModel block = (LanguageModel) model.getBlock();
        assertThat(block.newLoss()).isInstanceOf(Seq2SeqLoss.class);
        assertThat(block.newTokenCounter()).isInstanceOf(Seq2SeqTokens.class);
    }

    private static JsonObject expected() throws IOException {
        try (Reader reader =
                new InputStreamReader(
                        EncoderDecoderDataIT.class.getResourceAsStream("tiny_t5_pairs.json"),
                        StandardCharsets.UTF_8)) {
            return JsonParser.parseReader(reader).getAsJsonObject();
        }
    }

    @Test
    void book_isLearntBySpansAsTheModelWas() throws IOException {
        Path file = SharedRoot.require("data/text/tinystories-sample.txt");
        String text = Files.readString(file);
        Path start = Files.writeString(temporary.resolve("start.txt"), text.substring(0, 20_000));
        // Of the length that the model was trained on.
        TextDataset data = data(start, 4).optMaxLength(64).build();
        long sentinel = tokenizer.getId("<extra_id_0>").orElseThrow();
        long learnt = 0;
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    long[] labels = batch.getLabels().head().toLongArray();
                    assertThat(labels[0]).isEqualTo(sentinel);
                    learnt += Arrays.stream(labels).filter(id -> id >= 0).count();
                }
            }
        }
        assertThat(learnt).isEqualTo(data.getReport().keptLabels());
        // The model has a loss of about 4 on such rows; chance is the logarithm of 4160, 8.3.
        assertThat(DatasetLoss.of(model, data).loss()).isLessThan(5);
    }

    private static long[] ids(JsonObject row, String key) {
        return StreamSupport.stream(row.getAsJsonArray(key).spliterator(), false)
                .mapToLong(JsonElement::getAsLong)
                .toArray();
    }
}
