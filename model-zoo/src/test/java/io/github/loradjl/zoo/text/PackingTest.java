package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.training.dataset.Batch;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Several rows in one sequence. Tokens here: 2 ends, 3 is "a", 4 is "b". */
class PackingTest extends WordRows {

    @Test
    void getData_handMadeRows_haveSegmentsPositionsAndLabelsOfTheirOwn() throws IOException {
        Path file =
                Files.writeString(
                        folder.resolve("rows.jsonl"),
                        "{\"prompt\": \"a b \", \"completion\": \"b\"}\n"
                                + "{\"text\": \"a a a a a\"}\n\n"
                                + "{\"text\": \"b\"}\n"
                                + "{\"prompt\": \"\", \"completion\": \"b a\"}\n");
        TextDataset data = data(file, 2, false).optMaxLength(8).build();
        try (Batch batch = data.getData(manager).iterator().next()) {
            // Lengths 4, 6, 2 and 3: the longest first, 6 with 2, then 4 with 3.
            assertThat(rows(batch.getData().get(0)))
                    .containsExactly("3 4 4 2 4 3 2 2", "3 3 3 3 3 2 4 2");
            assertThat(rows(batch.getData().get(1)))
                    .containsExactly("1 1 1 1 2 2 2 0", "1 1 1 1 1 1 2 2");
            assertThat(rows(batch.getData().get(2)))
                    .containsExactly("0 1 2 3 0 1 2 0", "0 1 2 3 4 5 0 1");
            assertThat(rows(batch.getLabels().get(0)))
                    .containsExactly(". . 4 2 . 3 2 .", ". 3 3 3 3 2 . 2");
            assertThat(batch.getData()).hasSize(3);
            assertThat(batch.getSize()).isEqualTo(2);
            List<Object> names = new ArrayList<>();
            names.add(file + ":1, " + file + ":5");
            names.add(file + ":2, " + file + ":4");
            assertThat(new ArrayList<Object>(batch.getIndices())).isEqualTo(names);
            CausalLmTokens counter = new CausalLmTokens();
            assertThat(counter.countInputs(batch)).isEqualTo(15);
            assertThat(counter.countTargets(batch)).isEqualTo(data.getReport().keptLabels());
        }
        assertThat(data.getEpochReport(0)).isEqualTo(new EpochReport(1, 2, 15, 16));
        assertThat(data.getBatchCount()).isEqualTo(1);
    }

    @Test
    void getData_manyRows_givesEachOncePerEpochWithLittlePadding() throws IOException {
        TextDataset data = random(2000, 4, true).build();
        List<String> expected = names(random(2000, 4, true).optPacking(false).build());
        List<String> orders = new ArrayList<>();
        int before = manager.getManagedArrays().size();
        for (int epoch = 0; epoch < 3; epoch++) {
            List<String> names = new ArrayList<>();
            StringBuilder order = new StringBuilder();
            long tokens = 0;
            long positions = 0;
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    for (Object sequence : batch.getIndices()) {
                        names.addAll(Arrays.asList(sequence.toString().split(", ")));
                        order.append(sequence).append(';');
                    }
                    long[] segments = batch.getData().get(1).toLongArray();
                    tokens += Arrays.stream(segments).filter(segment -> segment != 0).count();
                    positions += segments.length;
                    assertThat(batch.getData().head().getShape().get(1)).isLessThanOrEqualTo(64);
                }
            }
            Collections.sort(names);
            assertThat(names).isEqualTo(expected);
            assertThat(tokens).isEqualTo(data.getReport().tokens());
            EpochReport report = data.getEpochReport(epoch);
            assertThat(report.positions()).isEqualTo(positions);
            assertThat(report.filledShare()).isGreaterThan(0.98);
            orders.add(order.toString());
        }
        assertThat(manager.getManagedArrays()).hasSize(before);
        assertThat(orders).doesNotHaveDuplicates();
        // Other neighbours, not only another order of the same sequences.
        assertThat(sequences(orders.get(0))).isNotEqualTo(sequences(orders.get(1)));
    }

    @Test
    void getEpoch_fromABatchOn_givesTheRestOfThatEpoch() throws IOException {
        List<String> whole = names(random(300, 2, true).build().getEpoch(manager, 4, 0));
        TextDataset again = random(300, 2, true).build();
        List<String> head = names(again.getEpoch(manager, 4, 0), 7);
        List<String> rest = names(again.getEpoch(manager, 4, 7));
        head.addAll(rest);
        assertThat(head).isEqualTo(whole);
    }

    @Test
    void calibration_ofPackedRows_areTheFirstBatchesInOrder() throws IOException {
        TextDataset data = random(3000, 3, true).build();
        List<String> inOrder = batches(random(3000, 3, false).build().getEpoch(manager, 0, 0));
        assertThat(data.getCalibrationLimit()).isEqualTo(inOrder.size());
        // More batches than a chunk has, too.
        for (int batches : new int[] {1, 5, 170, inOrder.size()}) {
            TextDataset calibration = data.calibration(batches);
            assertThat(calibration.getBatchCount()).isEqualTo(batches);
            assertThat(batches(calibration.getData(manager)))
                    .isEqualTo(inOrder.subList(0, batches));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data.calibration(inOrder.size() + 1))
                .withMessageContaining("of 3 sequences");
    }

    @Test
    void split_ofPackedRows_givesEachRowToOnePart() throws IOException {
        TextDataset data = random(200, 2, true).build();
        TextDataset.Split split = data.split(0.2, 1);
        assertThat(split.validation().getReport().rows()).isEqualTo(40);
        List<String> names = names(split.train());
        assertThat(names).hasSize(160);
        names.addAll(names(split.validation()));
        Collections.sort(names);
        assertThat(names).isEqualTo(names(data));
        assertThat(split.validation().getEpochReport(0).sequences()).isLessThan(40);
        assertThat(batches(split.validation().getEpoch(manager, 0, 0)))
                .isEqualTo(batches(split.validation().getEpoch(manager, 1, 0)));
    }

    @Test
    void getData_weights_giveRowsTheirTurns() throws IOException {
        Path once = file("once.jsonl", 30);
        Path twice = file("twice.jsonl", 20);
        TextDataset data =
                TextDataset.builder()
                        .setTokenizer(tokenizer)
                        .addFile(once, 0.5)
                        .addFile(twice, 2)
                        .setSampling(2, true)
                        .optMaxLength(64)
                        .optPacking(true)
                        .build();
        List<String> names = names(data);
        assertThat(names).hasSize(15 + 40);
        assertThat(names.stream().filter(name -> name.startsWith(once.toString())))
                .hasSize(15)
                .doesNotHaveDuplicates();
        names.removeIf(name -> name.startsWith(once.toString()));
        assertThat(names.stream().distinct()).hasSize(20);
    }

    @Test
    void pack_rowsOfOneLength_fillsSequencesInTheirOrder() {
        int[] rows = IntStream.range(100, 107).toArray();
        assertThat(Packing.pack(rows, row -> 3, 7))
                .isEqualTo(new int[][] {{100, 101}, {102, 103}, {104, 105}, {106}});
        assertThat(Packing.pack(rows, row -> 7, 7)).hasNumberOfRows(7);
        assertThat(Packing.pack(new int[0], row -> 7, 7)).isEmpty();
    }

    private TextDataset.Builder data(Path file, int batchSize, boolean shuffle) {
        return TextDataset.builder()
                .setTokenizer(tokenizer)
                .setFile(file)
                .setSampling(batchSize, shuffle)
                .optPacking(true);
    }

    /** Rows of 2 to 41 tokens in sequences of 64. */
    private TextDataset.Builder random(int rows, int batchSize, boolean shuffle)
            throws IOException {
        return data(file("random.jsonl", rows), batchSize, shuffle).optMaxLength(64).optSeed(3);
    }

    private Path file(String name, int rows) throws IOException {
        SplittableRandom random = new SplittableRandom(rows);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < rows; i++) {
            String text = "a ".repeat(random.nextInt(20)) + "b ".repeat(1 + random.nextInt(20));
            lines.add("{\"text\": \"" + text + "\"}");
        }
        return Files.write(folder.resolve(name), lines);
    }

    /** Returns the names of all rows of an epoch, sorted. */
    private List<String> names(TextDataset data) throws IOException {
        List<String> names = names(data.getEpoch(manager, 0, 0));
        Collections.sort(names);
        return names;
    }

    private static List<String> names(Iterable<Batch> batches) {
        return names(batches, Integer.MAX_VALUE);
    }

    private static List<String> names(Iterable<Batch> batches, int limit) {
        List<String> names = new ArrayList<>();
        int count = 0;
        for (Batch batch : batches) {
            try (batch) {
                for (Object sequence : batch.getIndices()) {
                    names.addAll(Arrays.asList(sequence.toString().split(", ")));
                }
            }
            if (++count == limit) {
                break;
            }
        }
        return names;
    }

    private static List<String> batches(Iterable<Batch> batches) {
        List<String> contents = new ArrayList<>();
        for (Batch batch : batches) {
            try (batch) {
                contents.add(batch.getIndices() + " " + rows(batch.getData().head()));
            }
        }
        return contents;
    }

    private static List<String> sequences(String order) {
        return Arrays.stream(order.split(";")).sorted().toList();
    }
}
