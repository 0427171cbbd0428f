package io.github.loradjl.testing;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.transformer.BertBlock;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.ParameterStore;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;

import io.github.loradjl.torch.TorchOps;

import java.util.LinkedHashMap;
import java.util.Map;

/** Small models with random weights, and ways to look at them. */
public final class Models {

    public static final int IN = 8;
    public static final int OUT = 4;

    private Models() {}

    /** Linear with bias, ReLU, BatchNorm, Linear without bias: paths 0 to 3. */
    public static Model mlp() {
        SequentialBlock block =
                new SequentialBlock()
                        .add(Linear.builder().setUnits(16).build())
                        .add(Activation::relu)
                        .add(BatchNorm.builder().build())
                        .add(Linear.builder().setUnits(OUT).optBias(false).build());
        return model("mlp", block, new Shape(2, IN));
    }

    /** BERT of two layers; its data are token ids, type ids and masks. */
    public static Model bert() {
        BertBlock block =
                BertBlock.builder()
                        .setTokenDictionarySize(13)
                        .optTypeDictionarySize(2)
                        .optEmbeddingSize(8)
                        .optHiddenSize(16)
                        .optAttentionHeadCount(2)
                        .optTransformerBlockCount(2)
                        .optMaxSequenceLength(6)
                        .optHiddenDropoutProbability(0)
                        .build();
        Shape ids = new Shape(2, 6);
        return model("bert", block, ids, ids, ids);
    }

    public static Model model(String name, Block block, Shape... shapes) {
        Model model = Model.newInstance(name, Device.cpu());
        block.initialize(model.getNDManager(), DataType.FLOAT32, shapes);
        model.setBlock(block);
        for (Parameter parameter : block.getParameters().values()) {
            // Biases of zero and norms of one would hide mistakes.
            if (parameter.getType() == Parameter.Type.BIAS
                    || parameter.getType() == Parameter.Type.BETA) {
                try (NDArray values = model.getNDManager().randomNormal(parameter.getShape());
                        NDArray array = parameter.getArray().stopGradient()) {
                    values.copyTo(array);
                }
            }
        }
        return model;
    }

    public static NDArray mlpInput(NDManager manager, int rows) {
        return manager.randomNormal(new Shape(rows, IN));
    }

    public static NDList bertInput(NDManager manager) {
        NDArray ids = manager.randomInteger(0, 13, new Shape(2, 6), DataType.INT64);
        NDArray types = manager.zeros(new Shape(2, 6), DataType.INT64);
        NDArray masks = manager.ones(new Shape(2, 6), DataType.INT64);
        return new NDList(ids, types, masks);
    }

    /** Runs a block on a store of its own and returns the first output. */
    public static float[] run(Block block, NDList in, boolean training) {
        try (NDManager scope = in.head().getManager().newSubManager()) {
            NDList copies = new NDList();
            in.forEach(x -> copies.add(TorchOps.alias(x, scope)));
            NDList out = block.forward(new ParameterStore(scope, false), copies, training);
            return values(out.head());
        }
    }

    /** Reads numbers of any floating type. */
    public static float[] values(NDArray x) {
        try (NDArray wide = TorchOps.toFloat32(x)) {
            return wide.toFloatArray();
        }
    }

    /** Reads all parameters of a block. */
    public static Map<String, float[]> weights(Block block) {
        Map<String, float[]> result = new LinkedHashMap<>();
        block.getParameters().forEach(p -> result.put(p.getKey(), values(p.getValue().getArray())));
        return result;
    }

    public static DefaultTrainingConfig sgd(float rate) {
        return config(
                Optimizer.sgd()
                        .setLearningRateTracker(Tracker.fixed(rate))
                        .optWeightDecays(.5f)
                        .build());
    }

    public static DefaultTrainingConfig config(Optimizer optimizer) {
        return new DefaultTrainingConfig(Loss.l2Loss())
                .optDevices(new Device[] {Device.cpu()})
                .optOptimizer(optimizer);
    }
}
