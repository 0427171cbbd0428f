package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.testing.SharedRoot;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.StreamSupport;

/** Real data through real tokenizers. */
class TextDatasetIT {

    @TempDir Path folder;

    @Test
    void getData_gsm8k_givesTheRowsOfTransformers() throws IOException {
        JsonObject golden = golden("smollm2").getAsJsonObject("gsm8k");
        try (TextTokenizer tokenizer = tokenizer("SmolLM2-135M-Instruct");
                NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            TextDataset data =
                    TextDataset.builder()
                            .setTokenizer(tokenizer)
                            .setFile(SharedRoot.require("data/gsm8k/train.jsonl"))
                            .setSampling(1, false)
                            .optKeys("question", "answer")
                            .optPromptFormat("{prompt}\n")
                            .optLimit(8)
                            .build();
            Iterator<Batch> batches = data.getData(manager).iterator();
            for (JsonElement row : golden.getAsJsonArray("rows")) {
                try (Batch batch = batches.next()) {
                    long[] ids = longs(row.getAsJsonObject().get("ids"));
                    int prompt = row.getAsJsonObject().get("prompt_tokens").getAsInt();
                    long[] labels = ids.clone();
                    Arrays.fill(labels, 0, prompt, CausalLmLoss.IGNORE_INDEX);
                    assertThat(batch.getData().head().toLongArray()).containsExactly(ids);
                    assertThat(batch.getLabels().head().toLongArray()).containsExactly(labels);
                }
            }
            assertThat(batches).isExhausted();
            TextReport report = data.getReport();
            assertThat(report.keptLabels()).isEqualTo(golden.get("loss_tokens").getAsLong());
            assertThat(report.truncatedRows() + report.straddlingRows()).isZero();
        }
    }

    @Test
    void getData_wholeBook_losesNothing() throws IOException {
        Path file = SharedRoot.require("data/text/tinystories-sample.txt");
        String text = Files.readString(file);
        Path start = Files.writeString(folder.resolve("start.txt"), text.substring(0, 3000));
        try (TextTokenizer tokenizer = tokenizer("stories260K");
                NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            TextDataset.Builder builder =
                    TextDataset.builder().setTokenizer(tokenizer).setSampling(1, false);
            Iterable<Batch> few = builder.setFile(start).build().getData(manager);
            try (Batch first = few.iterator().next()) {
                assertThat(first.getData().head().toLongArray())
                        .containsExactly(longs(golden("stories260K").get("ids")));
            }
            StringBuilder all = new StringBuilder();
            for (Batch batch : builder.setFile(file).build().getData(manager)) {
                try (batch) {
                    long[] ids = batch.getData().head().toLongArray();
                    all.append(tokenizer.decode(ids));
                }
            }
            // Each block and each piece may lose or gain the one space before its first word.
            assertThat(all.toString().replace(" ", "")).isEqualTo(text.replace(" ", ""));
        }
    }

    @Test
    void getReport_tokenAcrossTheEndOfThePrompt_isCounted() throws IOException {
        Path file =
                Files.writeString(
                        folder.resolve("rows.jsonl"),
                        "{\"prompt\": \"The capi\", \"completion\": \"tal\"}\n"
                                + "{\"prompt\": \"The\", \"completion\": \" capital\"}");
        try (TextTokenizer tokenizer = tokenizer("SmolLM2-135M-Instruct")) {
            TextReport report =
                    TextDataset.builder()
                            .setTokenizer(tokenizer)
                            .setFile(file)
                            .setSampling(1, false)
                            .build()
                            .getReport();
            assertThat(report.straddlingRows()).isEqualTo(1);
            // "The", " capital" and the end, with all but "The" to learn in both rows.
            assertThat(report.tokens()).isEqualTo(6);
            assertThat(report.keptLabels()).isEqualTo(4);
            assertThat(report.toString()).contains("1 rows with a token across");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SmolLM2-135M-Instruct", "stories260K"})
    void render_realRows_cutsTheTextWhereLearningBegins(String checkpoint) throws IOException {
        Path file = SharedRoot.require("data/gsm8k/train.jsonl");
        List<String> lines = Files.readAllLines(file).subList(0, 20);
        try (TextTokenizer tokenizer = tokenizer(checkpoint)) {
            TextDataset data =
                    TextDataset.builder()
                            .setTokenizer(tokenizer)
                            .setFile(file)
                            .setSampling(1, false)
                            .optKeys("question", "answer")
                            .optPromptFormat("{prompt}\n")
                            .optMaxLength(2048)
                            .optLimit(20)
                            .build();
            long end = tokenizer.getEosId().orElseThrow();
            for (int i = 0; i < lines.size(); i++) {
                JsonObject row = JsonParser.parseString(lines.get(i)).getAsJsonObject();
                RenderedExample example = data.render(i);
                assertThat(example.name()).isEqualTo(file + ":" + (i + 1));
                assertThat(example.stretches()).hasSize(2);
                assertThat(example.stretches().get(0).text().strip())
                        .endsWith(row.get("question").getAsString().strip());
                assertThat(example.stretches().get(1))
                        .isEqualTo(
                                new RenderedExample.Stretch(
                                        row.get("answer").getAsString()
                                                + tokenizer.decode(new long[] {end}, false),
                                        true));
            }
        }
    }

    private static TextTokenizer tokenizer(String checkpoint) throws IOException {
        return TextTokenizer.load(SharedRoot.require("checkpoints/" + checkpoint));
    }

    private static JsonObject golden(String name) throws IOException {
        Path file = SharedRoot.require("golden/" + name + "/golden.json");
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    private static long[] longs(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false)
                .mapToLong(JsonElement::getAsLong)
                .toArray();
    }
}
