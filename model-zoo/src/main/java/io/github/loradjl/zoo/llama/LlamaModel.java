package io.github.loradjl.zoo.llama;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.zoo.block.ModelBlock;
import io.github.loradjl.zoo.block.RmsNorm;
import io.github.loradjl.zoo.block.TokenEmbedding;

import java.util.ArrayList;
import java.util.List;

/**
 * The part under the head: token vectors, layers, last norm. It only gives them their place in the
 * tree; {@link LlamaForCausalLM} runs them as stages.
 */
final class LlamaModel extends ModelBlock {

    private final TokenEmbedding embedTokens;
    private final Layers layers;
    private final RmsNorm norm;

    LlamaModel(LlamaConfig config) {
        int size = config.getHiddenSize();
        embedTokens =
                addChildBlock("embed_tokens", new TokenEmbedding(config.getVocabularySize(), size));
        layers = addChildBlock("layers", new Layers(config));
        norm = addChildBlock("norm", new RmsNorm(size, config.getNormEpsilon()));
    }

    TokenEmbedding embedTokens() {
        return embedTokens;
    }

    List<LlamaDecoderLayer> layers() {
        return layers.list;
    }

    RmsNorm norm() {
        return norm;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        throw new UnsupportedOperationException("run LlamaForCausalLM, which holds this block");
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(NDManager manager, DataType dataType, Shape... shapes) {
        getChildren().values().forEach(b -> b.initialize(manager, dataType, shapes));
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputs) {
        return embedTokens.getOutputShapes(inputs);
    }

    /** The layers, named by their number. */
    private static final class Layers extends ModelBlock {

        private final List<LlamaDecoderLayer> list = new ArrayList<>();

        Layers(LlamaConfig config) {
            for (int i = 0; i < config.getLayers(); i++) {
                list.add(addChildBlock(String.valueOf(i), new LlamaDecoderLayer(config)));
            }
        }

        /** {@inheritDoc} */
        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            throw new UnsupportedOperationException("run LlamaForCausalLM, which holds this block");
        }

        /** {@inheritDoc} */
        @Override
        protected void initializeChildBlocks(
                NDManager manager, DataType dataType, Shape... shapes) {
            for (Block layer : list) {
                layer.initialize(manager, dataType, shapes);
            }
        }

        /** {@inheritDoc} */
        @Override
        public Shape[] getOutputShapes(Shape[] inputs) {
            return inputs;
        }
    }
}
