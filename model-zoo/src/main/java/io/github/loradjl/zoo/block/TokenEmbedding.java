package io.github.loradjl.zoo.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.torch.TorchOps;

/** The table of token vectors; where the head is tied it also gives the logits. */
public final class TokenEmbedding extends ModelBlock {

    private final Parameter weight;
    private final int vocabulary;
    private final int size;

    /**
     * Creates a table without weights.
     *
     * @param vocabulary the number of tokens
     * @param size the width of their vectors
     */
    public TokenEmbedding(int vocabulary, int size) {
        this.vocabulary = vocabulary;
        this.size = size;
        weight =
                addParameter(
                        Parameter.builder()
                                .setName("weight")
                                .setType(Parameter.Type.WEIGHT)
                                .optShape(new Shape(vocabulary, size))
                                .build());
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray ids = inputs.singletonOrThrow();
        for (long id : ids.toLongArray()) {
            if (id < 0 || id >= vocabulary) {
                throw new IllegalArgumentException(
                        "token id "
                                + id
                                + " is outside the vocabulary of "
                                + vocabulary
                                + "; does the tokenizer belong to this model?");
            }
        }
        return new NDList(TorchOps.embedding(table(store, ids, training), ids));
    }

    /**
     * Returns the table itself.
     *
     * @param store the parameter store
     * @param like an array on the device that is wanted
     * @param training true to run in training mode
     * @return an array of shape (vocabulary, size)
     */
    public NDArray table(ParameterStore store, NDArray like, boolean training) {
        return store.getValue(weight, like.getDevice(), training);
    }

    /**
     * Returns the weight, of whose type everything else is.
     *
     * @return the weight
     */
    public NDArray sample() {
        return weight.getArray();
    }

    /**
     * Returns the manager of the weight.
     *
     * @return the manager
     */
    public NDManager owner() {
        return weight.getArray().getManager();
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return new Shape[] {inputs[0].add(size)};
    }
}
