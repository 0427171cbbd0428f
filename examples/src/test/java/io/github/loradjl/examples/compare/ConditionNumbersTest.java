package io.github.loradjl.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.torch.GradientMode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.Iterator;

/** Three layers with factors whose singular values are known. */
class ConditionNumbersTest {

    private Model model;

    @BeforeEach
    void build() {
        model = Model.newInstance("linear", "PyTorch");
        SequentialBlock block = new SequentialBlock();
        for (int i = 0; i < 3; i++) {
            block.add(Linear.builder().setUnits(6).build());
        }
        block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 6));
        model.setBlock(block);
    }

    @AfterEach
    void close() {
        model.close();
    }

    private LoraModel attach(LoraInit init) {
        return LoraModel.attach(model, LoraConfig.builder().optRank(3).optInit(init).build());
    }

    @Test
    void of_orthonormalFactors_isOne() {
        try (LoraModel lora = attach(LoraInit.orthonormal())) {
            ConditionNumbers numbers = ConditionNumbers.of(lora);
            assertThat(numbers.a()).isEqualTo(1, within(1e-4));
            assertThat(numbers.b()).isEqualTo(1, within(1e-4));
        }
    }

    @Test
    void of_stretchedFactors_isTheMedianRatioOfTheStretches() {
        float[][] ofA = {{1, 2, 5}, {1, 1, 40}, {3, 4, 2}};
        float[][] ofB = {{10, 1, 1}, {6, 3, 2}, {1, 7, 2}};
        try (LoraModel lora = attach(LoraInit.orthonormal());
                NDManager scope = model.getNDManager().newSubManager();
                GradientMode mode = GradientMode.off()) {
            Iterator<LoraLinear> layers =
                    lora.getTargets(LoraModel.DEFAULT_ADAPTER).values().iterator();
            for (int i = 0; i < ofA.length; i++) {
                LoraLinear layer = layers.next();
                NDArray rows = scope.create(ofA[i], new Shape(3, 1));
                layer.get(LoraModel.DEFAULT_ADAPTER).getA().muli(rows);
                NDArray columns = scope.create(ofB[i], new Shape(1, 3));
                layer.get(LoraModel.DEFAULT_ADAPTER).getB().muli(columns);
            }
            ConditionNumbers numbers = ConditionNumbers.of(lora);
            assertThat(numbers.a()).isEqualTo(5, within(1e-3));
            assertThat(numbers.b()).isEqualTo(7, within(1e-3));
        }
    }

    @Test
    void of_factorAtZero_isNone() {
        try (LoraModel lora = attach(LoraInit.kaimingUniform())) {
            ConditionNumbers numbers = ConditionNumbers.of(lora);
            assertThat(numbers.a()).isGreaterThan(1);
            assertThat(numbers.b()).isNull();
        }
    }
}
