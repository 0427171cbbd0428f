package io.github.loradjl.examples.command;

import ai.djl.Model;

import io.github.loradjl.examples.compare.Setup;
import io.github.loradjl.zoo.text.PromptRow;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.evaluate.AnswerMode;
import io.github.loradjl.zoo.text.evaluate.Example;
import io.github.loradjl.zoo.text.evaluate.Outcome;
import io.github.loradjl.zoo.text.evaluate.TaskMetrics;
import io.github.loradjl.zoo.text.task.ClassificationTask;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The first of the numbers by which a classification task is reported. */
record TaskMetric(
        ClassificationTask task,
        AnswerMode mode,
        TextTokenizer tokenizer,
        List<Example> examples,
        int batchSize)
        implements Setup.Metric {

    /** Reads the rows of a task. */
    static TaskMetric of(
            ClassificationTask task,
            AnswerMode mode,
            TextTokenizer tokenizer,
            Path file,
            long limit,
            int batchSize)
            throws IOException {
        List<Example> examples =
                PromptRow.read(file, task, limit).stream()
                        .map(row -> new Example(row.id(), row.prompt(), row.answer()))
                        .toList();
        return new TaskMetric(task, mode, tokenizer, examples, batchSize);
    }

    /** {@inheritDoc} */
    @Override
    public String name() {
        return TaskMetrics.name(task.getOfficialMetrics().get(0), mode);
    }

    /** {@inheritDoc} */
    @Override
    public double measure(Model model) {
        List<Outcome> outcomes =
                LabelModes.evaluation(mode, model, tokenizer, task.getLabelTexts(), true, batchSize)
                        .evaluate(examples, outcome -> Interruption.check());
        return TaskMetrics.of(task, outcomes, mode).get(name());
    }
}
