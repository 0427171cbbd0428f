package io.github.loradjl.zoo.text.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

class SummaryTest {

    @Test
    void standardError_isThatOfAShare() {
        // Half of the 1319 problems of GSM8K's test part.
        assertThat(Summary.standardError(0.5, 1319)).isCloseTo(0.01377, within(1e-5));
        assertThat(Summary.standardError(1, 10)).isZero();
    }

    @Test
    void adapterHash_isTheDigestOfItsWeights(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("adapter_model.safetensors"), "abc");
        // FIPS 180-2, appendix B.1.
        assertThat(Summary.adapterHash(folder))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    @Test
    void toJson_isOneLineWithEveryKey() {
        Summary summary =
                new Summary(4, "accuracy", 0.75, 0.2, Map.of("f1", 0.8), 7, null, "model");
        assertThat(summary.toJson())
                .isEqualTo(
                        "{\"n\":4,\"metric\":\"accuracy\",\"value\":0.75,"
                                + "\"standard_error\":0.2,\"f1\":0.8,\"seed\":7,"
                                + "\"adapter\":null,\"model\":\"model\"}");
    }

    @Test
    void outcome_toJson_isOneLine() {
        Outcome outcome = new Outcome("1", "a\n<b>", "c", "d", "e", false);
        assertThat(outcome.toJson())
                .isEqualTo(
                        "{\"id\":\"1\",\"prompt\":\"a\\n<b>\",\"output\":\"c\","
                                + "\"extracted\":\"d\",\"gold\":\"e\",\"correct\":false}");
    }
}
