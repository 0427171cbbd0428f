package io.github.loradjl.zoo.text.generate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;

import java.util.Set;

/**
 * A language model that can continue from cached keys and values: a causal one, which continues its
 * prompt, or an encoder with a decoder, which answers it.
 */
public interface AutoregressiveBlock extends Block {

    /**
     * Allocates a cache for one generation.
     *
     * @param manager the manager that the cache belongs to
     * @param batch the number of rows
     * @param capacity the number of positions; those of a prompt count unless an encoder reads it
     * @return the cache
     */
    KeyValueCache newCache(NDManager manager, int batch, int capacity);

    /**
     * Tells whether prompts are read by an encoder.
     *
     * @return false unless overridden
     */
    default boolean isEncoderDecoder() {
        return false;
    }

    /**
     * Reads prompts with the encoder, without recording, and gives the cache what the decoder needs
     * of them.
     *
     * @param parameterStore the parameter store
     * @param ids the prompts, of shape (batch, s) and type INT64
     * @param mask of the same shape, zero at padding
     * @param cache a new cache
     * @return the token that every row begins with
     * @throws UnsupportedOperationException if the model has no encoder
     */
    default long readPrompts(
            ParameterStore parameterStore, NDArray ids, NDArray mask, KeyValueCache cache) {
        throw new UnsupportedOperationException("this model has no encoder");
    }

    /**
     * Predicts the token after the last of the given ones, without recording. Rows that the cache
     * calls padded must come out as they would without their padding.
     *
     * @param parameterStore the parameter store
     * @param ids the next tokens of each row, of shape (batch, t) and type INT64
     * @param cache the cache, which is extended by t positions
     * @return logits of shape (batch, vocabulary)
     */
    NDArray nextLogits(ParameterStore parameterStore, NDArray ids, KeyValueCache cache);

    /**
     * Computes the loss of each label by itself, without recording.
     *
     * @param parameterStore the parameter store
     * @param data as for {@code forward}
     * @param labels as for {@code forward}, with {@link
     *     io.github.loradjl.torch.TorchOps#IGNORE_INDEX} where nothing is asked; with an encoder,
     *     several rows one after another may belong to each row of the data, which is read once
     * @return the negative log-probabilities of the k other labels, row after row, as a float32
     *     array of shape (k)
     */
    NDArray tokenLosses(ParameterStore parameterStore, NDList data, NDArray labels);

    /**
     * Returns the tokens that end a text.
     *
     * @return their ids, possibly none
     */
    Set<Long> getEndTokens();
}
