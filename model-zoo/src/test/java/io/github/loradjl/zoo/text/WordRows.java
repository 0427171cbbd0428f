package io.github.loradjl.zoo.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A folder for files and a tokenizer that knows the words {@code a} as 3, {@code b} as 4, {@code
 * <s>} as 1, {@code </s>}, which ends each row, as 2 and all others as 0.
 */
abstract class WordRows {

    @TempDir Path folder;
    TextTokenizer tokenizer;
    NDManager manager;

    @BeforeEach
    void open() throws IOException {
        writeTokenizer();
        tokenizer = TextTokenizer.load(folder);
        manager = NDManager.newBaseManager();
    }

    void writeTokenizer() throws IOException {
        WordTokenizer.write(folder);
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"eos_token\": \"</s>\"}");
    }

    @AfterEach
    void close() {
        tokenizer.close();
        manager.close();
    }

    Path write(String name, String... lines) throws IOException {
        return Files.writeString(folder.resolve(name), String.join("\n", lines));
    }

    TextDataset.Builder data(Path path) {
        return TextDataset.builder().setTokenizer(tokenizer).setFile(path).setSampling(1, false);
    }

    /** Writes the token ids of all rows down. */
    String contents(TextDataset data) throws IOException {
        return contents(data.getData(manager));
    }

    static String contents(Iterable<Batch> batches) {
        StringBuilder contents = new StringBuilder();
        for (Batch batch : batches) {
            try (batch) {
                contents.append(rows(batch.getData().head())).append('\n');
            }
        }
        return contents.toString();
    }

    /** Writes rows down. */
    static List<String> rows(NDArray array) {
        long[] values = array.toLongArray();
        int columns = (int) array.getShape().get(1);
        return IntStream.range(0, values.length / columns)
                .mapToObj(row -> line(Arrays.stream(values, row * columns, (row + 1) * columns)))
                .toList();
    }

    /** Writes numbers down, with a dot for what is not learnt. */
    static String line(LongStream values) {
        return values.mapToObj(value -> value == -100 ? "." : Long.toString(value))
                .collect(Collectors.joining(" "));
    }

    /** Writes the labels of rows in batches of one down. */
    List<String> labels(TextDataset data) throws IOException {
        return single(data, true);
    }

    /** Writes the tokens of rows in batches of one down. */
    List<String> ids(TextDataset data) throws IOException {
        return single(data, false);
    }

    private List<String> single(TextDataset data, boolean labels) throws IOException {
        List<String> result = new ArrayList<>();
        for (Batch batch : data.getData(manager)) {
            try (batch) {
                result.addAll(rows((labels ? batch.getLabels() : batch.getData()).get(0)));
            }
        }
        return result;
    }
}
