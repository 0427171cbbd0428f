package io.github.loradjl.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.init.Direction;
import io.github.loradjl.init.GradientKind;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.init.Scale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

class MethodTest {

    private static final LoraConfig COMMON = LoraConfig.builder().optRank(4).optAlpha(8).build();

    @ParameterizedTest
    @CsvSource({
        "lora, true, false",
        "rslora, true, true",
        "lora+, true, false",
        "lora:init=gaussian, gaussian, false",
        "lora:rs=true, true, true",
        "pissa, pissa, false",
        "olora, olora, false",
        "orthogonal, orthonormal, false",
        "lora-ga, lora_ga, true",
        "lora-ga:rs=false, lora_ga, false"
    })
    void config_isThatOfTheMethod(String text, String init, boolean stabilized) {
        LoraConfig config = Method.parse(text).config(COMMON, 7);
        assertThat(config.getInit().getName()).isEqualTo(init);
        assertThat(config.isRankStabilized()).isEqualTo(stabilized);
        assertThat(config.getRank()).isEqualTo(4);
        assertThat(config.getAlpha()).isEqualTo(8);
        assertThat(config.getSeed()).isEqualTo(7);
    }

    @Test
    void config_ownRankAndAlpha_standInPlaceOfTheCommonOnes() {
        LoraConfig config = Method.parse("lora:rank=16:alpha=3.5").config(COMMON, 0);
        assertThat(config.getRank()).isEqualTo(16);
        assertThat(config.getAlpha()).isEqualTo(3.5);
    }

    @Test
    void loraGa_optionsReachTheStart() {
        LoraInit init =
                Method.parse("lora-ga:gamma=1024:direction=ArBr:gradient=sign:batches=2")
                        .config(COMMON, 0)
                        .getInit();
        assertThat(init).isInstanceOf(LoraGaInit.class);
        LoraGaInit loraGa = (LoraGaInit) init;
        assertThat(loraGa.getScale()).isEqualTo(Scale.stable(1024));
        assertThat(loraGa.getDirection()).isEqualTo(Direction.AR_BR);
        assertThat(loraGa.getGradientKind()).isEqualTo(GradientKind.SIGN);
        assertThat(Method.parse("lora-ga:batches=2").calibrationBatches(8)).isEqualTo(2);
        assertThat(Method.parse("lora-ga").calibrationBatches(8)).isEqualTo(8);
    }

    @Test
    void ownRatesSeedsAndShare_areRead() {
        Method method = Method.parse("lora:data=0.25:rates=1e-3+2e-3:seeds=3");
        assertThat(method.share()).isEqualTo(0.25);
        assertThat(method.rates(List.of(1.0))).containsExactly(1e-3, 2e-3);
        assertThat(method.seeds(List.of(0, 1))).containsExactly(3);
        assertThat(method.label()).isEqualTo("lora:data=0.25");
    }

    @ParameterizedTest
    @CsvSource({
        "dora, there is no method dora",
        "lora:gamma=16, gamma=16 is not KEY=VALUE with one of the keys",
        "full:rank=8, rank=8 is not KEY=VALUE",
        "lora:rank, rank is not KEY=VALUE",
        "lora:rank=many, rank=many is not a number above 0",
        "lora:rates=1e-3+x, rates=x is not a number above 0",
        "lora:seeds=one, seeds are whole numbers",
        "lora:data=2, data is a share",
        "lora:init=nonsense, unknown start",
        "lora-ga:gamma=16:zeta=1, say the same thing twice",
        "lora-ga:direction=up, 'direction is ArB2r, A2rBr, ArBr or random'",
        "lora-ga:gradient=hessian, gradient is one of",
        "lora-ga:scale=big, 'scale is gd, unit or weight'"
    })
    void parse_wrongMethod_saysWhatIsWrong(String text, String message) {
        assertThatThrownBy(() -> Method.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}
