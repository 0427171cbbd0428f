package io.github.loradjl.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.testing.Models;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.List;

class AdaptedBlockTest {

    private Model model;
    private LoraModel lora;
    private NDManager manager;
    private NDList x;

    @BeforeEach
    void open() {
        model = Models.mlp();
        lora =
                LoraModel.attach(
                        model,
                        LoraConfig.builder()
                                .optRank(2)
                                .optInit(LoraInit.bothRandomUnsubtracted())
                                .build());
        manager = model.getNDManager().newSubManager();
        x = new NDList(Models.mlpInput(manager, 3));
    }

    @AfterEach
    void close() {
        model.close();
    }

    private NDList forward(boolean training, Object adapters) {
        PairList<String, Object> params = new PairList<>();
        params.add(AdaptedBlock.ADAPTERS, adapters);
        return model.getBlock().forward(new ParameterStore(manager, false), x, training, params);
    }

    @Test
    void forward_namedAdapters_areUsedForThisCallOnly() {
        float[] adapted = Models.run(model.getBlock(), x, false);
        float[] base = forward(false, List.of()).head().toFloatArray();
        assertThat(base).isNotEqualTo(adapted);
        assertThat(forward(false, List.of("default")).head().toFloatArray()).isEqualTo(adapted);
        assertThat(Models.run(model.getBlock(), x, false)).isEqualTo(adapted);
        assertThatThrownBy(() -> forward(false, "default"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("list of adapter names");
        assertThatThrownBy(() -> forward(false, List.of("other")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no adapter other");
        assertThatThrownBy(() -> forward(true, List.of()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("setActive");
    }

    @Test
    void forward_inPrediction_recordsNothingInAnyMode() {
        try (GradientMode mode = GradientMode.on()) {
            assertThat(TorchOps.requiresGradient(forward(false, null).head())).isFalse();
            assertThat(TorchOps.requiresGradient(forward(true, null).head())).isTrue();
        }
    }

    @Test
    void pinAdapters_keepsTheChoiceOfThisThread() {
        float[] adapted = Models.run(model.getBlock(), x, false);
        try (AdapterSelection.Scope scope = lora.getBlock().pinAdapters()) {
            lora.setEnabled(false);
            assertThat(Models.run(lora.getBase(), x, false)).isEqualTo(adapted);
        }
        assertThat(Models.run(lora.getBase(), x, false)).isNotEqualTo(adapted);
    }

    @Test
    void freezeParameters_reachesAdaptersAlone() {
        model.getBlock().freezeParameters(true);
        assertThat(lora.getTrainableParameters().values()).noneMatch(p -> p.requiresGradient());
        model.getBlock().freezeParameters(false, p -> p.getName().equals("lora_A"));
        assertThat(model.getBlock().getParameters().values())
                .filteredOn(p -> p.requiresGradient())
                .hasSize(2)
                .allMatch(p -> p.getName().equals("lora_A"));
    }
}
