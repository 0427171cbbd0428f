package io.github.loradjl.peft;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import java.util.Random;

/** Two layers with named linear parts, a norm and a head, filled from a seed. */
final class SmallNet extends AbstractBlock {

    static final int WIDTH = 6;

    private final Block layers;
    private final Block norm;
    private final Block head;

    SmallNet() {
        layers = addChildBlock("layers", new Layers());
        norm = addChildBlock("norm", LayerNorm.builder().build());
        head = addChildBlock("lm_head", Linear.builder().setUnits(3).optBias(false).build());
    }

    static Model model(long seed) {
        Model model = Model.newInstance("small");
        SmallNet net = new SmallNet();
        net.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, WIDTH));
        Random random = new Random(seed);
        net.getParameters()
                .values()
                .forEach(
                        p -> {
                            float[] values = new float[(int) p.getArray().getShape().size()];
                            for (int i = 0; i < values.length; i++) {
                                values[i] = (float) random.nextGaussian();
                            }
                            p.getArray().set(values);
                        });
        model.setBlock(net);
        return model;
    }

    /** Runs a fixed input through whatever the model's block is now. */
    static float[] run(Model model) {
        try (NDManager manager = model.getNDManager().newSubManager()) {
            NDArray x = manager.arange(5f * WIDTH).div(20).reshape(5, WIDTH).sin();
            ParameterStore store = new ParameterStore(manager, false);
            return model.getBlock().forward(store, new NDList(x), false).head().toFloatArray();
        }
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store, NDList in, boolean training, PairList<String, Object> params) {
        NDList h = layers.forward(store, in, training);
        return head.forward(store, norm.forward(store, h, training), training);
    }

    @Override
    public void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
        getChildren().values().forEach(b -> b.initialize(manager, type, shapes));
    }

    @Override
    public Shape[] getOutputShapes(Shape[] shapes) {
        return new Shape[] {new Shape(shapes[0].get(0), 3)};
    }

    private abstract static class Shaped extends AbstractBlock {

        @Override
        public void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
            getChildren().values().forEach(b -> b.initialize(manager, type, shapes));
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return shapes;
        }
    }

    private static final class Layers extends Shaped {

        private final Block zero;
        private final Block one;

        Layers() {
            zero = addChildBlock("0", new Layer());
            one = addChildBlock("1", new Layer());
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList in, boolean training, PairList<String, Object> p) {
            return one.forward(store, zero.forward(store, in, training), training);
        }
    }

    private static final class Layer extends Shaped {

        private final Linear up;
        private final Linear down;

        Layer() {
            up = addChildBlock("up", Linear.builder().setUnits(WIDTH).build());
            down = addChildBlock("down", Linear.builder().setUnits(WIDTH).optBias(false).build());
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store, NDList in, boolean training, PairList<String, Object> p) {
            NDList h = new NDList(up.forward(store, in, training).head().tanh());
            return down.forward(store, h, training);
        }
    }
}
