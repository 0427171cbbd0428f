package io.github.loradjl.examples.command;

import ai.djl.Model;

import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.evaluate.AnswerMode;
import io.github.loradjl.zoo.text.evaluate.LabelEvaluation;
import io.github.loradjl.zoo.text.evaluate.LabelEvaluationBuilder;
import io.github.loradjl.zoo.text.evaluate.LabelScoring;
import io.github.loradjl.zoo.text.evaluate.TeacherForcedAccuracy;

import java.util.List;

/** The ways to ask a model for labels, by their mode. */
final class LabelModes {

    private LabelModes() {}

    /** Makes the evaluation of a mode other than GENERATED. */
    static LabelEvaluation evaluation(
            AnswerMode mode,
            Model model,
            TextTokenizer tokenizer,
            List<String> labels,
            Examples examples,
            int batchSize) {
        if (mode == AnswerMode.LABELS) {
            LabelScoring.Builder builder = LabelScoring.builder();
            set(builder, model, tokenizer, labels, examples, batchSize);
            return builder.build();
        }
        TeacherForcedAccuracy.Builder builder = TeacherForcedAccuracy.builder().setMode(mode);
        set(builder, model, tokenizer, labels, examples, batchSize);
        return builder.build();
    }

    private static void set(
            LabelEvaluationBuilder<?> builder,
            Model model,
            TextTokenizer tokenizer,
            List<String> labels,
            Examples examples,
            int batchSize) {
        builder.setModel(model, tokenizer);
        builder.setLabels(labels);
        builder.optAddSpecialTokens(examples.addSpecialTokens());
        if (examples.maxLength() != null) {
            builder.optMaxLength(examples.maxLength());
        }
        builder.optBatchSize(batchSize);
    }
}
