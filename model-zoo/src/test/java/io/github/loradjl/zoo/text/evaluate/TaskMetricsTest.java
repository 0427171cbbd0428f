package io.github.loradjl.zoo.text.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.loradjl.zoo.text.task.GlueTask;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

class TaskMetricsTest {

    private static List<Outcome> outcomes(int count, String chosen, String gold) {
        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            outcomes.add(new Outcome("1", "", chosen, chosen, gold, chosen.equals(gold)));
        }
        return outcomes;
    }

    /** TP 6, TN 3, FP 1, FN 2; what is neither label counts as the wrong one of the two. */
    private static List<Outcome> outcomes(String positive, String negative) {
        List<Outcome> outcomes = outcomes(6, positive, positive);
        outcomes.addAll(outcomes(3, negative, negative));
        outcomes.addAll(outcomes(1, "what?", negative));
        outcomes.addAll(outcomes(1, negative, positive));
        outcomes.addAll(outcomes(1, "what?", positive));
        return outcomes;
    }

    @Test
    void of_eachTask_givesTheOfficialMetricsWithTheirMode() {
        Map<String, Double> cola =
                TaskMetrics.of(
                        GlueTask.COLA.task(),
                        outcomes("acceptable", "unacceptable"),
                        AnswerMode.HARD);
        assertThat(cola.keySet()).containsExactly("matthews_hard", "accuracy_hard");
        // (6 * 3 - 1 * 2) / sqrt(7 * 8 * 4 * 5)
        assertThat(cola.get("matthews_hard")).isCloseTo(0.4781, within(5e-5));
        assertThat(cola.get("accuracy_hard")).isEqualTo(0.75);
        Map<String, Double> mrpc =
                TaskMetrics.of(
                        GlueTask.MRPC.task(),
                        outcomes("equivalent", "different"),
                        AnswerMode.LABELS);
        assertThat(mrpc.keySet()).containsExactly("accuracy_labels", "f1_labels");
        assertThat(mrpc.get("f1_labels")).isCloseTo(0.8, within(1e-12));
        Map<String, Double> mnli =
                TaskMetrics.of(
                        GlueTask.MNLI.task(),
                        outcomes("entailment", "neutral"),
                        AnswerMode.GENERATED);
        assertThat(mnli).containsExactly(Map.entry("accuracy_generated", 0.75));
    }
}
