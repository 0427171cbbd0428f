package io.github.loradjl.zoo.text.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;
import io.github.loradjl.zoo.text.generate.TokenScorer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Evaluations of a real model, with the numbers of transformers. */
class EvaluationIT {

    private static ZooModel<NDList, NDList> model;
    private static TextTokenizer tokenizer;

    @BeforeAll
    static void load() throws Exception {
        Path folder = SharedRoot.require("checkpoints/SmolLM2-135M-Instruct");
        model = HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32);
        tokenizer = TextTokenizer.load(folder);
    }

    @AfterAll
    static void close() {
        if (model != null) {
            tokenizer.close();
            model.close();
        }
    }

    private static LabelScoring scoring(String... labels) {
        return LabelScoring.builder()
                .setModel(model, tokenizer)
                .setLabels(List.of(labels))
                .optBatchSize(1)
                .build();
    }

    // transformers 5.18, float32, ids of prompt + label, from the first that differs from those of
    // the prompt: sum(logits[i - 1].log_softmax(-1)[ids[i]]).
    private static final double PARIS = -0.2606092095375061;
    private static final double NOT_PARIS = -7.246614456176758;
    private static final double NEGATIVE = -8.442803382873535;
    private static final double POSITIVE = -6.252484321594238;

    private static final String CAPITAL = "The capital of France is ";
    private static final String SENTIMENT =
            "classify the sentiment of the text: a gripping movie\nresult: ";

    @Test
    void score_givesTheLogProbabilitiesOfTransformers() {
        // The blank before a label becomes a part of its first token. Logits of a magnitude of 20
        // in float32, in another order of sums.
        assertThat(scoring("Paris", "not Paris").score(List.of(CAPITAL)).get(0))
                .containsExactly(new double[] {PARIS, NOT_PARIS}, within(2e-4));
        assertThat(scoring("negative", "positive").score(List.of(SENTIMENT)).get(0))
                .containsExactly(new double[] {NEGATIVE, POSITIVE}, within(2e-4));
    }

    @Test
    void score_batchOfDifferentLengths_isThatOfEachAlone() {
        LabelScoring scoring = scoring("positive", "not positive at all");
        List<double[]> together = scoring.score(List.of(CAPITAL, SENTIMENT));
        for (int i = 0; i < 2; i++) {
            String prompt = i == 0 ? CAPITAL : SENTIMENT;
            assertThat(together.get(i))
                    .containsExactly(scoring.score(List.of(prompt)).get(0), within(1e-4));
        }
    }

    @Test
    void labels_chooseTheMostProbable() {
        List<Outcome> heard = new ArrayList<>();
        List<Outcome> outcomes =
                scoring("negative", "positive")
                        .evaluate(
                                List.of(
                                        new Example("1", SENTIMENT, "positive"),
                                        new Example("2", SENTIMENT, " negative\n")),
                                heard::add);
        assertThat(outcomes)
                .containsExactly(
                        new Outcome("1", SENTIMENT, "positive", "positive", "positive", true),
                        new Outcome("2", SENTIMENT, "positive", "positive", "negative", false))
                .isEqualTo(heard);
    }

    @Test
    void labels_unknownOrRepeated_areRefused() {
        assertThatThrownBy(() -> scoring("a", "b", "a"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[a, b, a]");
        assertThatThrownBy(() -> scoring("a", " b")).hasMessageContaining("\" b\"");
        List<Example> unknown = List.of(new Example("line 7", SENTIMENT, "neutral"));
        assertThatThrownBy(() -> scoring("negative", "positive").evaluate(unknown))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("line 7", "neutral", "[negative, positive]");
    }

    @Test
    void exactMatch_answersInBatchesAsOneByOne() {
        TextGenerator generator = new TextGenerator(model, tokenizer);
        GenerationConfig config = GenerationConfig.builder().optMaxNewTokens(8).build();
        List<Example> examples =
                List.of(
                        new Example("1", "One, two, three, four,", "five 6"),
                        new Example("2", "2 + 2 =", "#### 4"),
                        new Example("3", "The number before 100 is", "1,000"));
        List<Outcome> outcomes =
                ExactMatch.builder()
                        .setGenerator(generator)
                        .optExtractor(AnswerExtractor.FLEXIBLE)
                        .optGeneration(config)
                        .optBatchSize(2)
                        .build()
                        .evaluate(examples);
        for (int i = 0; i < examples.size(); i++) {
            Example example = examples.get(i);
            Outcome outcome = outcomes.get(i);
            String alone = generator.generate(example.prompt(), config);
            String extracted = AnswerExtractor.FLEXIBLE.extract(alone);
            String gold = AnswerExtractor.FLEXIBLE.extract(example.gold());
            assertThat(outcome)
                    .isEqualTo(
                            new Outcome(
                                    example.id(),
                                    example.prompt(),
                                    alone,
                                    extracted,
                                    gold,
                                    extracted.equals(gold)));
        }
        assertThat(outcomes.stream().map(Outcome::gold)).containsExactly("6", "4", "1000");
    }

    @Test
    void exactMatch_goldWithoutAnAnswer_isNamedBeforeAnythingIsGenerated() {
        ExactMatch match =
                ExactMatch.builder()
                        .setGenerator(new TextGenerator(model, tokenizer))
                        .optExtractor(AnswerExtractor.OFFICIAL)
                        .build();
        List<Example> examples = List.of(new Example("line 3", "2 + 2 =", "four"));
        List<Outcome> heard = new ArrayList<>();
        assertThatThrownBy(() -> match.evaluate(examples, heard::add))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("line 3", "OFFICIAL", "four");
        assertThat(heard).isEmpty();
    }

    @Test
    void datasetLoss_isTheMeanOverTokensWhateverTheBatches(@TempDir Path folder) throws Exception {
        Path file =
                Files.writeString(
                        folder.resolve("rows.jsonl"),
                        """
                        {"prompt": "Q: 1+1?\\nA:", "completion": " 2"}
                        {"prompt": "The sky is", "completion": " blue and the grass is green."}
                        """);
        for (int batchSize = 1; batchSize <= 2; batchSize++) {
            TextDataset data =
                    TextDataset.builder()
                            .setTokenizer(tokenizer)
                            .setFile(file)
                            .setSampling(batchSize, false)
                            .build();
            DatasetLoss loss = DatasetLoss.of(model, data);
            assertThat(loss.tokens()).isEqualTo(11);
            // transformers: the mean over the 11 completion and end tokens of both rows.
            assertThat(loss.loss()).isCloseTo(2.514111648906361, within(1e-4));
            assertThat(loss.perplexity()).isCloseTo(Math.exp(loss.loss()), within(1e-12));
        }
    }

    @Test
    void evaluation_leavesNothingBehind() {
        LabelScoring scoring = scoring("negative", "positive");
        scoring.score(List.of(SENTIMENT));
        int before = model.getNDManager().getManagedArrays().size();
        scoring.score(List.of(SENTIMENT, CAPITAL));
        assertThat(model.getNDManager().getManagedArrays()).hasSize(before);
    }

    @Test
    void logProbabilities_startOutOfRange_isRefused() {
        TokenScorer scorer = new TokenScorer(model);
        List<long[]> rows = List.of(new long[] {5, 6});
        assertThatThrownBy(() -> scorer.logProbabilities(rows, new int[] {0}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("start 0 of row 0");
        assertThatThrownBy(() -> scorer.logProbabilities(rows, new int[] {3}))
                .hasMessageContaining("start 3");
    }
}
