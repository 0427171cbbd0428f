package io.github.loradjl.examples.compare.diagnose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

import io.github.loradjl.linalg.SingularFactors;
import org.junit.jupiter.api.Test;

import java.util.List;

class SpectraTest {

    @Test
    void mean_ofTwoLayers_isThatOfTheirSharesUpToTheShorterOne() {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            Spectra.Spectrum mean =
                    Spectra.mean(
                            List.of(
                                    // The whole energy: 16 + 4 + 1.
                                    factors(manager, 21, 4, 2, 1),
                                    // Half of the energy lies beyond the two values.
                                    factors(manager, 16, 2, 2)));
            assertThat(mean.layers()).isEqualTo(2);
            assertThat(mean.values()).hasSize(2);
            assertThat(mean.values().get(0)).isEqualTo(1);
            assertThat(mean.values().get(1)).isEqualTo((0.5 + 1) / 2, within(1e-6));
            assertThat(mean.energy().get(0)).isEqualTo((16 / 21.0 + 4 / 16.0) / 2, within(1e-6));
            assertThat(mean.energy().get(1)).isEqualTo((20 / 21.0 + 8 / 16.0) / 2, within(1e-6));
        }
    }

    private static SingularFactors factors(NDManager manager, double energy, float... values) {
        NDArray none = manager.create(0f);
        return new SingularFactors(none, manager.create(values), none, energy);
    }
}
