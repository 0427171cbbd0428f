package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.Device;
import ai.djl.training.dataset.Batch;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The order of rows and batches, and parts of a data set. */
class EpochsTest extends WordRows {

    @Test
    void getData_shuffled_givesEachRowOncePerEpochInGroupsOfSimilarLength() throws IOException {
        TextDataset data = lengths(103, 4);
        List<String> epochs = new ArrayList<>();
        for (int epoch = 0; epoch < 3; epoch++) {
            StringBuilder order = new StringBuilder();
            Set<Object> seen = new HashSet<>();
            int spread = 0;
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    order.append(batch.getIndices());
                    seen.addAll(batch.getIndices());
                    long[] mask = batch.getData().get(1).toLongArray();
                    spread += mask.length - (int) Arrays.stream(mask).sum();
                }
            }
            assertThat(seen).hasSize(103);
            // Lengths 2 to 12 in batches of four sorted rows: less than one padding token a row.
            assertThat(spread).isLessThan(103);
            epochs.add(order.toString());
        }
        assertThat(new HashSet<>(epochs)).hasSize(3);

        data.setEpoch(1);
        Iterable<Batch> again = data.getData(manager);
        for (int i = 0; i < 2; i++) {
            StringBuilder order = new StringBuilder();
            for (Batch batch : again) {
                try (batch) {
                    order.append(batch.getIndices());
                }
            }
            assertThat(order).hasToString(epochs.get(1));
        }
    }

    @Test
    void getData_withoutLengthGroups_mixesShortAndLong() throws IOException {
        TextDataset data = lengths(103, 4, false);
        long padding = 0;
        Set<Object> seen = new HashSet<>();
        for (Batch batch : data.getData(manager)) {
            try (batch) {
                seen.addAll(batch.getIndices());
                long[] mask = batch.getData().get(1).toLongArray();
                padding += mask.length - Arrays.stream(mask).sum();
            }
        }
        assertThat(seen).hasSize(103);
        // In groups it is less than one token a row.
        assertThat(padding).isGreaterThan(2 * 103);
        EpochReport report = data.getEpochReport(0);
        assertThat(report.positions() - report.tokens()).isEqualTo(padding);
        assertThat(report.batches()).isEqualTo(26);
        assertThat(report.sequences()).isEqualTo(103);
        assertThat(report.tokens()).isEqualTo(data.getReport().tokens());
        assertThat(report.toString()).contains("26 batches of 103 sequences", "% of ");
    }

    @Test
    void longestBatch_isTheOneWithTheMostPositions() throws IOException {
        TextDataset data = lengths(103, 4);
        long most = 0;
        for (Batch batch : data.getEpoch(manager, 0, 0)) {
            try (batch) {
                most = Math.max(most, batch.getData().head().size());
            }
        }
        String epoch = contents(data.getEpoch(manager, 0, 0));
        try (Batch longest = data.longestBatch(manager)) {
            assertThat(longest.getData().head().size()).isEqualTo(most);
            assertThat(epoch).contains(rows(longest.getData().head()).toString());
        }
    }

    @Test
    void getData_firstBatchesOnly_doesNotEndTheEpoch() throws IOException {
        String epoch = contents(lengths(20, 4));
        TextDataset data = lengths(20, 4);
        int looked = 0;
        for (Batch batch : data.getData(manager)) {
            batch.close();
            if (++looked == 5) {
                break;
            }
        }
        assertThat(contents(data)).isEqualTo(epoch);
        assertThat(contents(data)).isNotEqualTo(epoch);
    }

    @Test
    void getEpoch_fromAnyBatchOn_givesTheRestOfThatEpoch() throws IOException {
        TextDataset data = lengths(41, 4);
        List<String> epochs = new ArrayList<>();
        for (int epoch = 0; epoch < 3; epoch++) {
            epochs.add(contents(data));
        }
        // Another data set, as after a restart, asked for epochs out of order.
        TextDataset again = lengths(41, 4);
        for (int epoch = 2; epoch >= 0; epoch--) {
            assertThat(contents(again.getEpoch(manager, epoch, 0))).isEqualTo(epochs.get(epoch));
            String[] lines = epochs.get(epoch).split("(?<=\n)");
            for (int first = 1; first <= lines.length; first += 5) {
                String rest = String.join("", Arrays.copyOfRange(lines, first, lines.length));
                assertThat(contents(again.getEpoch(manager, epoch, first))).isEqualTo(rest);
            }
        }
        assertThat(again.getEpoch(manager, 0, 11)).isEmpty();
        assertThat(again.getEpoch(manager, 0, 1L << 40)).isEmpty();
        // The count of epochs has not moved.
        assertThat(contents(again)).isEqualTo(epochs.get(0));
        try (Batch third = again.getEpoch(manager, 1, 2).iterator().next()) {
            assertThat(third.getProgressTotal()).isEqualTo(41);
            assertThat(third.getProgress()).isBetween(9L, 12L);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> again.getEpoch(manager, -1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> again.getEpoch(manager, 0, -1));
    }

    @Test
    void getData_progress_countsRows() throws IOException {
        List<Long> progress = new ArrayList<>();
        for (Batch batch : lengths(10, 4).getData(manager)) {
            try (batch) {
                progress.add(batch.getProgress());
                assertThat(batch.getProgressTotal()).isEqualTo(10);
            }
        }
        // The short batch comes somewhere in between.
        assertThat(progress).hasSize(3).endsWith(10L);
        assertThat(lengths(10, 4).getBatchCount()).isEqualTo(3);
    }

    @Test
    void split_rows_areDisjointAndRepeatable() throws IOException {
        TextDataset data = lengths(100, 8);
        TextDataset.Split split = data.split(0.25, 3);
        assertThat(split.train().getReport().rows()).isEqualTo(75);
        assertThat(split.validation().getReport().rows()).isEqualTo(25);
        assertThat(split.train().getReport().tokens() + split.validation().getReport().tokens())
                .isEqualTo(data.getReport().tokens());
        String first = contents(split.validation());
        assertThat(contents(split.validation())).isEqualTo(first);
        assertThat(contents(data.split(0.25, 3).validation())).isEqualTo(first);
        assertThat(contents(data.split(0.25, 4).validation())).isNotEqualTo(first);
        assertThatIllegalArgumentException().isThrownBy(() -> data.split(1, 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data.split(0.999, 0))
                .withMessageContaining("100 rows");
    }

    @Test
    void calibration_firstBatches_areAlwaysTheSameAndLeaveTheEpochs() throws IOException {
        TextDataset data = lengths(20, 4);
        data.setEpoch(0);
        String epoch = contents(data);
        data.setEpoch(0);
        TextDataset calibration = data.calibration(2);
        assertThat(calibration.getReport().rows()).isEqualTo(8);
        assertThat(contents(calibration)).isEqualTo(contents(calibration));
        assertThat(contents(data)).isEqualTo(epoch);
        assertThat(data.calibration(5).getReport().rows()).isEqualTo(20);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data.calibration(6))
                .withMessageContainingAll("6 batches", "5 of 4 rows");
    }

    @Test
    void getData_closedBatches_leaveNothingBehind() throws IOException {
        TextDataset data = lengths(50, 1);
        int before = manager.getManagedArrays().size();
        for (Batch batch : data.getData(manager)) {
            Batch[] parts = batch.split(new Device[] {Device.cpu()}, false);
            assertThat(parts).hasSize(1);
            assertThat(parts[0].getData().head().getShape())
                    .isEqualTo(batch.getData().head().getShape());
            batch.close();
        }
        assertThat(manager.getManagedArrays()).hasSize(before);
    }

    private TextDataset lengths(int rows, int batchSize) throws IOException {
        return lengths(rows, batchSize, true);
    }

    private TextDataset lengths(int rows, int batchSize, boolean groups) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < rows; i++) {
            lines.add("{\"text\": \"" + "a ".repeat(i % 7) + "b ".repeat(1 + i % 5) + "\"}");
        }
        Path file = write("rows.jsonl", lines.toArray(new String[0]));
        return data(file).setSampling(batchSize, true).optSeed(5).optLengthGroups(groups).build();
    }
}
