package io.github.loradjl.zoo.text.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.reflect.TypeToken;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.llama.FormulaCheckpoint;
import io.github.loradjl.zoo.t5.RandomT5;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.WordTokenizer;
import io.github.loradjl.zoo.text.generate.TokenScorer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Labels after prompts, as transformers judges them; see make_labels.py. */
class LabelEvaluationTest {

    @TempDir private Path folder;

    private ZooModel<NDList, NDList> model;
    private TextTokenizer tokenizer;

    /** One entry of label_evaluations.json. */
    private static final class Expected {
        JsonObject config;
        List<String> labels;
        List<Row> rows;
    }

    /** One prompt with one of the labels. */
    private static final class Row {
        String prompt;
        String gold;
        double[] scores;
        boolean hard;
        Double soft;
    }

    private Expected load(String kind) throws Exception {
        return load(kind, DataType.FLOAT32);
    }

    private Expected load(String kind, DataType type) throws Exception {
        Expected expected;
        try (Reader reader =
                new InputStreamReader(
                        LabelEvaluationTest.class.getResourceAsStream("label_evaluations.json"),
                        StandardCharsets.UTF_8)) {
            Map<String, Expected> all =
                    new Gson().fromJson(reader, new TypeToken<Map<String, Expected>>() {});
            expected = all.get(kind);
        }
        if ("t5".equals(kind)) {
            RandomT5.write(folder, expected.config);
        } else {
            FormulaCheckpoint.write(folder, expected.config);
        }
        WordTokenizer.writeLetters(folder, "t5".equals(kind));
        model = HuggingFaceFolder.load(folder, Device.cpu(), type);
        tokenizer = TextTokenizer.load(folder);
        return expected;
    }

    @AfterEach
    void close() {
        if (model != null) {
            tokenizer.close();
            model.close();
        }
    }

    /** Blanks part words here, and are no tokens. */
    private static List<Example> examples(List<Row> rows) {
        List<Example> examples = new ArrayList<>();
        for (Row row : rows) {
            examples.add(new Example(examples.size() + "", row.prompt + " ", " " + row.gold));
        }
        return examples;
    }

    private TeacherForcedAccuracy.Builder forced(AnswerMode mode, List<String> labels) {
        return TeacherForcedAccuracy.builder()
                .setModel(model, tokenizer)
                .setLabels(labels)
                .setMode(mode);
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "llama"})
    void labels_haveTheProbabilitiesOfTransformers(String kind) throws Exception {
        Expected expected = load(kind);
        LabelScoring scoring =
                LabelScoring.builder()
                        .setModel(model, tokenizer)
                        .setLabels(expected.labels)
                        .optBatchSize(5)
                        .build();
        List<Example> examples = examples(expected.rows);
        List<double[]> scores = scoring.score(examples.stream().map(Example::prompt).toList());
        List<Outcome> outcomes = scoring.evaluate(examples);
        int right = 0;
        for (int i = 0; i < outcomes.size(); i++) {
            double[] wanted = expected.rows.get(i).scores;
            // Rounding of float32, prompts of several lengths in one batch.
            assertThat(scores.get(i)).containsExactly(wanted, within(1e-4));
            int best =
                    wanted[0] > Math.max(wanted[1], wanted[2]) ? 0 : wanted[1] > wanted[2] ? 1 : 2;
            assertThat(outcomes.get(i).extracted()).isEqualTo(expected.labels.get(best));
            right += outcomes.get(i).correct() ? 1 : 0;
        }
        // Each prompt stands there once for each label.
        assertThat(right).isEqualTo(outcomes.size() / 3);
    }

    /** The same modes where hidden states are rounded to 8 bits. */
    @Test
    void bfloat16_encoderDecoder_isJudgedAlikeUpToRounding() throws Exception {
        Expected expected = load("t5", DataType.BFLOAT16);
        List<Example> examples = examples(expected.rows);
        LabelScoring scoring =
                LabelScoring.builder()
                        .setModel(model, tokenizer)
                        .setLabels(expected.labels)
                        .build();
        List<double[]> scores = scoring.score(examples.stream().map(Example::prompt).toList());
        for (int i = 0; i < scores.size(); i++) {
            assertThat(scores.get(i)).containsExactly(expected.rows.get(i).scores, within(0.3));
        }
        List<Outcome> hard = forced(AnswerMode.HARD, expected.labels).build().evaluate(examples);
        for (int i = 0; i < hard.size(); i++) {
            assertThat(hard.get(i).correct()).as("hard " + i).isEqualTo(expected.rows.get(i).hard);
        }
        List<Row> rows = expected.rows.stream().filter(row -> row.soft != null).toList();
        List<String> two = expected.labels.subList(0, 2);
        List<Outcome> soft = forced(AnswerMode.SOFT, two).build().evaluate(examples(rows));
        for (int i = 0; i < soft.size(); i++) {
            assertThat(soft.get(i).correct()).as("soft " + i).isEqualTo(rows.get(i).soft > 0);
        }
    }

    @Test
    void maxLength_cutsWhatAnEncoderReadsAsForTraining() throws Exception {
        List<String> labels = load("t5").labels;
        LabelScoring.Builder builder =
                LabelScoring.builder().setModel(model, tokenizer).setLabels(labels);
        double[] whole = builder.build().score(List.of("a b c d e f ")).get(0);
        double[] three = builder.build().score(List.of("a b c ")).get(0);
        // The end token is one of the four.
        assertThat(builder.optMaxLength(4).build().score(List.of("a b c d e f ")).get(0))
                .isEqualTo(three)
                .isNotEqualTo(whole);
        List<Example> longer = List.of(new Example("1", "a b c d e f ", labels.get(0)));
        List<Example> cut = List.of(new Example("1", "a b c ", labels.get(0)));
        TeacherForcedAccuracy.Builder hard = forced(AnswerMode.HARD, labels);
        String output = hard.build().evaluate(cut).get(0).output();
        assertThat(hard.optMaxLength(4).build().evaluate(longer).get(0).output()).isEqualTo(output);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.optMaxLength(0).build())
                .withMessageContaining("not 0");
    }

    @Test
    void maxLength_causalModel_isRefused() throws Exception {
        load("llama");
        LabelScoring.Builder builder =
                LabelScoring.builder()
                        .setModel(model, tokenizer)
                        .setLabels(List.of("a", "b"))
                        .optMaxLength(4);
        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessageContaining("what an encoder reads");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> forced(AnswerMode.HARD, List.of("a", "b")).optMaxLength(4).build())
                .withMessageContaining("what an encoder reads");
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "llama"})
    void classifierScoring_languageModel_isRefused(String kind) throws Exception {
        load(kind);
        ClassifierScoring.Builder builder =
                ClassifierScoring.builder().setModel(model, tokenizer).setLabels(List.of("a", "b"));
        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessageContainingAll("no classifier", "LabelScoring");
        try (LoraModel lora = LoraModel.attach(model, LoraConfig.builder().build())) {
            assertThatIllegalArgumentException()
                    .isThrownBy(builder::build)
                    .withMessageContaining("no classifier");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "llama"})
    void hard_isRightWhereTransformersPredictsEveryToken(String kind) throws Exception {
        Expected expected = load(kind);
        List<Outcome> heard = new ArrayList<>();
        List<Outcome> outcomes =
                forced(AnswerMode.HARD, expected.labels)
                        .optBatchSize(7)
                        .build()
                        .evaluate(examples(expected.rows), heard::add);
        for (int i = 0; i < outcomes.size(); i++) {
            Row row = expected.rows.get(i);
            Outcome outcome = outcomes.get(i);
            assertThat(outcome.correct()).as(row.prompt + ": " + row.gold).isEqualTo(row.hard);
            assertThat(outcome.gold()).isEqualTo(row.gold);
            assertThat(outcome.extracted().equals(row.gold)).isEqualTo(row.hard);
            if (row.hard) {
                assertThat(outcome.output()).isEqualTo(row.gold + " </s>");
            }
        }
        assertThat(outcomes.stream().filter(Outcome::correct)).hasSize(5);
        assertThat(heard).isEqualTo(outcomes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "llama"})
    void soft_comparesFirstTokensAsTransformers(String kind) throws Exception {
        Expected expected = load(kind);
        List<Row> rows = expected.rows.stream().filter(row -> row.soft != null).toList();
        List<String> two = expected.labels.subList(0, 2);
        List<Outcome> outcomes =
                forced(AnswerMode.SOFT, two).optBatchSize(3).build().evaluate(examples(rows));
        for (int i = 0; i < outcomes.size(); i++) {
            Row row = rows.get(i);
            boolean isRight = row.soft > 0;
            String other = two.get(1 - two.indexOf(row.gold));
            String chosen = isRight ? row.gold : other;
            assertThat(outcomes.get(i))
                    .isEqualTo(
                            new Outcome(
                                    i + "", row.prompt + " ", chosen, chosen, row.gold, isRight));
        }
        assertThat(outcomes).hasSize(16);
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "llama"})
    void soft_otherLabels_areRefusedByName(String kind) throws Exception {
        load(kind);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> forced(AnswerMode.SOFT, List.of("a", "b", "c")).build())
                .withMessageContainingAll("two labels", "[a, b, c]");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                forced(AnswerMode.SOFT, List.of("a", "a b"))
                                        .build()
                                        .evaluate(List.of(new Example("1", "c ", "a"))))
                .withMessageContainingAll("[a, a b]", "begin with \"a\"");
        for (AnswerMode mode : List.of(AnswerMode.LABELS, AnswerMode.GENERATED)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> forced(mode, List.of("a", "b")).build())
                    .withMessageContaining(mode.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "llama"})
    void evaluation_leavesNothingBehind(String kind) throws Exception {
        Expected expected = load(kind);
        List<Example> examples = examples(expected.rows.subList(0, 2));
        LabelEvaluation hard = forced(AnswerMode.HARD, expected.labels).build();
        LabelEvaluation soft = forced(AnswerMode.SOFT, expected.labels.subList(0, 2)).build();
        // The first run makes the tables of positions.
        hard.evaluate(examples);
        int before = model.getNDManager().getManagedArrays().size();
        hard.evaluate(examples);
        soft.evaluate(examples);
        assertThat(model.getNDManager().getManagedArrays().size()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5", "llama"})
    void scorer_askedForTheOtherKind_saysSo(String kind) throws Exception {
        load(kind);
        TokenScorer scorer = new TokenScorer(model);
        List<long[]> tokens = List.of(new long[] {2, 3});
        if (scorer.isEncoderDecoder()) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> scorer.logProbabilities(tokens, new int[] {1}))
                    .withMessageContaining("give prompts and answers");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> scorer.logProbabilities(List.of(new long[0]), tokens))
                    .withMessageContaining("no token");
        } else {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> scorer.logProbabilities(tokens, tokens))
                    .withMessageContaining("rows and their starts");
        }
    }
}
