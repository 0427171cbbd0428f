package io.github.loradjl.zoo.block;

import ai.djl.training.loss.Loss;

import com.google.gson.JsonObject;
import io.github.loradjl.training.TokenCounter;
import io.github.loradjl.zoo.text.CausalLmLoss;
import io.github.loradjl.zoo.text.CausalLmTokens;
import io.github.loradjl.zoo.text.Seq2SeqLoss;
import io.github.loradjl.zoo.text.Seq2SeqTokens;
import io.github.loradjl.zoo.text.generate.AutoregressiveBlock;

/**
 * A model that predicts tokens.
 *
 * <p>{@code forward(data)} gives logits, {@code forward(data, labels)} the mean loss and the number
 * of labels that were the most probable, both float32 scalars.
 */
public abstract class LanguageModel extends StagedModel implements AutoregressiveBlock {

    /** Creates a model. */
    protected LanguageModel() {}

    /**
     * Returns the {@code config.json} of this model.
     *
     * @return a JSON object of the caller's own
     */
    public abstract JsonObject toConfigJson();

    /**
     * Creates a model of the same configuration, without weights and adapters.
     *
     * @return the model
     */
    public abstract LanguageModel newEmpty();

    /**
     * Returns how many positions the model was made for, or can attend to if those are fewer.
     *
     * @return the number of positions
     */
    public abstract int getMaxLength();

    /** {@inheritDoc} */
    @Override
    public Loss newLoss() {
        return isEncoderDecoder() ? new Seq2SeqLoss() : new CausalLmLoss();
    }

    /** {@inheritDoc} */
    @Override
    public TokenCounter newTokenCounter() {
        return isEncoderDecoder() ? new Seq2SeqTokens() : new CausalLmTokens();
    }
}
