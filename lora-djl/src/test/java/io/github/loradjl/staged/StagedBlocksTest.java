package io.github.loradjl.staged;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;

import org.junit.jupiter.api.Test;

import java.util.List;

class StagedBlocksTest {

    private final SequentialBlock sequential =
            new SequentialBlock()
                    .add(Linear.builder().setUnits(3).build())
                    .add(Activation.reluBlock())
                    .add(Linear.builder().setUnits(2).build());

    @Test
    void of_sequentialBlock_hasItsChildrenAsStages() {
        assertThat(StagedBlocks.of(sequential).orElseThrow().getStages())
                .extracting(stage -> stage.getBlocks().get(0))
                .isEqualTo(sequential.getChildren().values());
    }

    @Test
    void of_whatIsNoChain_isEmpty() {
        assertThat(StagedBlocks.of(new SequentialBlock())).isEmpty();
        assertThat(StagedBlocks.of(sequential.getChildren().valueAt(0))).isEmpty();
        assertThat(StagedBlocks.of(sequential.setReturnIntermediate(true)))
                .as("the last stage alone would not give the block's own output")
                .isEmpty();
    }

    @Test
    void lowestStage_isTheFirstThatUsesAParameter() {
        try (NDManager manager = NDManager.newBaseManager()) {
            sequential.initialize(manager, DataType.FLOAT32, new Shape(1, 4));
            StagedBlock chain = StagedBlocks.of(sequential).orElseThrow();
            var last = sequential.getChildren().valueAt(2).getParameters().values();
            assertThat(StagedBlocks.lowestStage(chain, last)).isEqualTo(2);
            assertThat(StagedBlocks.lowestStage(chain, sequential.getParameters().values()))
                    .isZero();
            assertThat(StagedBlocks.lowestStage(chain, List.of())).isEqualTo(3);
        }
    }
}
