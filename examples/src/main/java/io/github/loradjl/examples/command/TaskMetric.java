package io.github.loradjl.examples.command;

import ai.djl.Model;

import io.github.loradjl.examples.compare.Setup;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.evaluate.AnswerMode;
import io.github.loradjl.zoo.text.evaluate.Example;
import io.github.loradjl.zoo.text.evaluate.LabelEvaluation;
import io.github.loradjl.zoo.text.evaluate.Outcome;
import io.github.loradjl.zoo.text.evaluate.TaskMetrics;
import io.github.loradjl.zoo.text.task.ClassificationTask;

import java.util.Comparator;
import java.util.List;

/** The first of the numbers by which a classification task is reported. */
record TaskMetric(
        ClassificationTask task,
        AnswerMode mode,
        TextTokenizer tokenizer,
        Examples examples,
        int batchSize)
        implements Setup.Metric {

    /** {@inheritDoc} */
    @Override
    public String name() {
        return TaskMetrics.name(task.getOfficialMetrics().get(0), mode);
    }

    /** Asks the longest of the questions, which takes the most. */
    @Override
    public void check(Model model) {
        Example longest =
                examples.list().stream()
                        .max(Comparator.comparingInt(example -> example.prompt().length()))
                        .orElseThrow();
        evaluation(model).evaluate(List.of(longest));
    }

    /** {@inheritDoc} */
    @Override
    public double measure(Model model) {
        List<Outcome> outcomes =
                evaluation(model).evaluate(examples.list(), outcome -> Interruption.check());
        return TaskMetrics.of(task, outcomes, mode).get(name());
    }

    private LabelEvaluation evaluation(Model model) {
        return LabelModes.evaluation(
                mode, model, tokenizer, task.getLabelTexts(), examples, batchSize);
    }
}
