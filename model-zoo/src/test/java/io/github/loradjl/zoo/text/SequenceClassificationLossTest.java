package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SequenceClassificationLossTest {

    private final SequenceClassificationLoss loss = new SequenceClassificationLoss();
    private NDManager manager;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager(Device.cpu());
    }

    @AfterEach
    void close() {
        manager.close();
    }

    private NDList logits(float[]... rows) {
        return new NDList(manager.create(rows));
    }

    private NDList labels(long... classes) {
        return new NDList(manager.create(classes));
    }

    /** -log softmax of one of three logits. */
    private static double entropy(double chosen, double b, double c) {
        return Math.log(Math.exp(chosen) + Math.exp(b) + Math.exp(c)) - chosen;
    }

    @Test
    void evaluate_isTheMeanOverRows() {
        NDList logits = logits(new float[] {1, 2, -1}, new float[] {0.5f, 0, 3});
        double expected = (entropy(2, 1, -1) + entropy(0.5, 0, 3)) / 2;
        assertThat(loss.evaluate(labels(1, 0), logits).getFloat())
                .isCloseTo((float) expected, within(1e-6f));
        NDList scalar = new NDList(manager.create(0.25f));
        assertThat(loss.evaluate(labels(1, 0), scalar)).isSameAs(scalar.head());
    }

    @Test
    void accumulator_overBatchesOfUnequalSize_isTheMeanOverRows() {
        loss.addAccumulator("all");
        loss.updateAccumulator("all", labels(1), logits(new float[] {1, 2, -1}));
        loss.updateAccumulator("all", labels(0, 2, 1), new NDList(manager.create(2f)));
        assertThat(loss.getAccumulator("all"))
                .isCloseTo((float) (entropy(2, 1, -1) + 3 * 2) / 4, within(1e-6f));
    }

    @Test
    void checkLabels_whatIsNoClass_isNamed() {
        assertThat(SequenceClassificationLoss.checkLabels(labels(2, 0).head(), 3)).isEqualTo(2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> loss.evaluate(labels(3), logits(new float[] {1, 2, -1})))
                .withMessageContainingAll("label 3 of row 0", "3 classes");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> loss.evaluate(labels(-100), logits(new float[] {1, 2, -1})))
                .withMessageContaining("label -100");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> loss.evaluate(labels(1, 1), logits(new float[] {1, 2, -1})))
                .withMessageContainingAll("(1, 3)", "(2)");
    }
}
