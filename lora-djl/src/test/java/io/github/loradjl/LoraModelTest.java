package io.github.loradjl;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;

import io.github.loradjl.init.LoraInit;
import org.junit.jupiter.api.Test;

class LoraModelTest {

    @Test
    void attach_trainsOnlyAdaptersAndDetachRestores() {
        try (Model model = Model.newInstance("mlp")) {
            SequentialBlock block =
                    new SequentialBlock()
                            .add(Linear.builder().setUnits(16).build())
                            .add(Activation::relu)
                            .add(Linear.builder().setUnits(4).optBias(false).build());
            block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(2, 8));
            model.setBlock(block);
            NDManager m = model.getNDManager().newSubManager();
            NDArray x = m.randomNormal(new Shape(2, 8));
            NDArray y = m.zeros(new Shape(2, 4));
            ParameterStore store = new ParameterStore(m, false);
            NDArray before = block.forward(store, new NDList(x), false).head();
            NDArray w = block.getParameters().get("01Linear_weight").getArray().duplicate();
            w.attach(m);
            try (LoraModel lora =
                    LoraModel.attach(
                            model,
                            LoraConfig.builder().optRank(2).optInit(LoraInit.pissa()).build())) {
                NDArray start = model.getBlock().forward(store, new NDList(x), false).head();
                assertThat(start.toFloatArray()).isEqualTo(before.toFloatArray());
                DefaultTrainingConfig config =
                        new DefaultTrainingConfig(Loss.l2Loss())
                                .optOptimizer(
                                        Optimizer.sgd()
                                                .setLearningRateTracker(Tracker.fixed(.1f))
                                                .build());
                try (Trainer trainer = model.newTrainer(config)) {
                    trainer.initialize(new Shape(2, 8));
                    for (int i = 0; i < 3; i++) {
                        try (GradientCollector collector = trainer.newGradientCollector()) {
                            NDArray out = trainer.forward(new NDList(x)).head();
                            collector.backward(
                                    trainer.getLoss().evaluate(new NDList(y), new NDList(out)));
                        }
                        trainer.step();
                    }
                }
                NDArray after = model.getBlock().forward(store, new NDList(x), false).head();
                assertThat(after.toFloatArray()).isNotEqualTo(before.toFloatArray());
                lora.setEnabled(false);
                NDArray off = model.getBlock().forward(store, new NDList(x), false).head();
                assertThat(off.toFloatArray()).isEqualTo(before.toFloatArray());
            }
            assertThat(model.getBlock()).isSameAs(block);
            NDArray last = model.getBlock().forward(store, new NDList(x), false).head();
            assertThat(last.toFloatArray()).isEqualTo(before.toFloatArray());
            assertThat(block.getParameters().get("01Linear_weight").getArray()).isEqualTo(w);
        }
    }
}
