package io.github.loradjl.zoo.text.evaluate;

import io.github.loradjl.zoo.text.task.ClassificationTask;
import io.github.loradjl.zoo.text.task.Metric;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The numbers by which a classification task is reported. */
public final class TaskMetrics {

    private TaskMetrics() {}

    /**
     * Computes the metrics of a task: the official ones first, in their order, then the accuracy if
     * it is none of them. Every name says how answers were counted, as {@code accuracy_labels},
     * {@code matthews_hard}, {@code f1_soft}.
     *
     * @param task the task
     * @param outcomes the outcomes of its rows
     * @param mode how the answers were found
     * @return the numbers by name, unmodifiable
     */
    public static Map<String, Double> of(
            ClassificationTask task, List<Outcome> outcomes, AnswerMode mode) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        for (Metric metric : task.getOfficialMetrics()) {
            metrics.put(name(metric, mode), value(metric, task, outcomes));
        }
        metrics.putIfAbsent(name(Metric.ACCURACY, mode), Outcome.accuracy(outcomes));
        return Collections.unmodifiableMap(metrics);
    }

    /**
     * Names a metric with the mode.
     *
     * @param metric the metric
     * @param mode how the answers were found
     * @return the name, as {@code accuracy_labels}
     */
    public static String name(Metric metric, AnswerMode mode) {
        return metric.label() + "_" + mode.label();
    }

    private static double value(Metric metric, ClassificationTask task, List<Outcome> outcomes) {
        String positive = task.getPositiveLabel();
        return switch (metric) {
            case ACCURACY -> Outcome.accuracy(outcomes);
            case MATTHEWS -> BinaryCounts.of(outcomes, positive).matthews();
            case F1 -> BinaryCounts.of(outcomes, positive).f1();
        };
    }
}
