package io.github.loradjl.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.nn.Parameter;
import ai.djl.training.Trainer;

import io.github.loradjl.testing.Models;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;

class BaseStateTest {

    private static List<Boolean> flags(Model model) {
        return model.getBlock().getParameters().values().stream()
                .map(Parameter::requiresGradient)
                .toList();
    }

    @Test
    void freeze_thenRestore_givesEachParameterItsFlagBack() {
        try (Model model = Models.mlp()) {
            model.getBlock().getParameters().valueAt(0).freeze(true);
            List<Boolean> before = flags(model);
            BaseState state = BaseState.freeze(model);
            assertThat(flags(model)).containsOnly(false);
            model.getBlock().freezeParameters(false);
            state.refreeze();
            assertThat(flags(model)).containsOnly(false);
            state.restore(model.getBlock());
            assertThat(flags(model)).isEqualTo(before).contains(true, false);
        }
    }

    /** DJL unfreezes what it has loaded when training begins, but forgets when a block is set. */
    @Test
    void restore_ofALoadedModel_isTrainedAsOneThatWasNeverFrozen(@TempDir Path folder)
            throws Exception {
        try (Model saved = Models.mlp();
                Model plain = Models.mlp();
                Model restored = Models.mlp()) {
            saved.save(folder, "base");
            plain.load(folder, "base");
            restored.load(folder, "base");
            BaseState state = BaseState.freeze(restored);
            restored.setBlock(restored.getBlock());
            state.restore(restored.getBlock());
            try (Trainer one = plain.newTrainer(Models.sgd(.1f));
                    Trainer other = restored.newTrainer(Models.sgd(.1f))) {
                assertThat(flags(restored)).isEqualTo(flags(plain)).contains(true);
            }
        }
    }

    @Test
    void restore_whereAnotherBlockWasSet_leavesIt() {
        try (Model model = Models.mlp();
                Model other = Models.mlp()) {
            BaseState state = BaseState.freeze(model);
            model.setBlock(other.getBlock());
            state.restore(state.getBlock());
            assertThat(model.getBlock()).isSameAs(other.getBlock());
        }
    }
}
