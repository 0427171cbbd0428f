package io.github.loradjl.examples.pretrain;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.tracker.ParameterTracker;

import com.google.gson.JsonObject;
import io.github.loradjl.training.LearningRateSchedule;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.text.TextTokenizer;

/** A small model that ships: its shape, its tokens and what it is to learn from a story. */
public abstract class SmallModel {

    /** The longest input of a model, in tokens. */
    static final int MAX_POSITIONS = 512;

    SmallModel() {}

    /**
     * Returns the LLaMA, which learns to tell stories.
     *
     * @return a model
     */
    public static SmallModel llama() {
        return new SmallLlama();
    }

    /**
     * Returns the T5, which learns to fill gaps in stories.
     *
     * @return a model
     */
    public static SmallModel t5() {
        return new SmallT5();
    }

    /**
     * Returns the highest learning rate that suits the model.
     *
     * @return the rate
     */
    public abstract double defaultRate();

    /** Returns the {@code config.json}. */
    abstract JsonObject config();

    /** Returns the {@code generation_config.json}: the special tokens of the configuration. */
    JsonObject generationConfig() {
        JsonObject tokens = new JsonObject();
        config().entrySet().stream()
                .filter(entry -> entry.getKey().endsWith("_token_id"))
                .forEach(entry -> tokens.add(entry.getKey(), entry.getValue()));
        return tokens;
    }

    /** Returns the tokens that stand for no text. */
    abstract SpecialTokens specialTokens();

    /** Creates the model, without weights. */
    abstract LanguageModel newBlock();

    /** Makes a row of a story; what is drawn depends on the number of the story. */
    abstract Row row(String story, TextTokenizer tokenizer, long number);

    /** Returns the data of a batch, from token ids and where they are not padding. */
    abstract NDList data(NDArray ids, NDArray mask);

    /** Returns the learning rates of the parameters. */
    abstract ParameterTracker rates(LearningRateSchedule schedule, LanguageModel block);

    /**
     * What is read and what is written.
     *
     * @param input token ids
     * @param labels token ids; the same array where the model writes what it reads
     */
    record Row(long[] input, long[] labels) {

        private boolean isRepeated() {
            return labels == input;
        }

        /** Returns how many tokens are read or written. */
        int tokens() {
            return input.length + (isRepeated() ? 0 : labels.length);
        }

        /** Returns how many tokens are predicted; nothing predicts the first that is read. */
        int targets() {
            return labels.length - (isRepeated() ? 1 : 0);
        }
    }
}
