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

    @Test
    void without_isTheMethodWithTheCommonValue() {
        Method method = Method.parse("lora:rank=16:alpha=4:seeds=3").without("rank");
        assertThat(method).isEqualTo(Method.parse("lora:alpha=4:seeds=3"));
        assertThat(method.without("rank")).isEqualTo(method);
    }

    @ParameterizedTest
    @CsvSource({
        "lora:rank=2, rank, 2",
        "lora, rank, 8",
        "lora:rank=2, alpha, 16",
        "full, data, 1",
        "lora-ga, gamma, 16",
        "lora-ga:gamma=4, gamma, 4",
        "lora-ga:batches=2, batches, 2",
        "lora-ga, batches, 8"
    })
    void value_isItsOwnOrTheCommonOne(String text, String key, double value) {
        assertThat(Method.parse(text).value(key, Results.COMMON)).hasValue(value);
    }

    @ParameterizedTest
    @CsvSource({
        "full, rank",
        "lora, gamma",
        "pissa, batches",
        "lora-ga:zeta=1, gamma",
        "lora-ga:gradient=adam, gamma"
    })
    void value_ofWhatIsNoOptionOfIt_isNone(String text, String key) {
        assertThat(Method.parse(text).value(key, Results.COMMON)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "dora, there is no method dora",
        "lora:gamma=16, gamma=16 is not KEY=VALUE with one of the keys",
        "full:rank=8, rank=8 is not KEY=VALUE",
        "lora:rank, rank is not KEY=VALUE",
        "lora:rank=many, rank=many is not a whole number above 0",
        "lora:rank=16.5, rank=16.5 is not a whole number above 0",
        "lora:rank=0, rank=0 is not a whole number above 0",
        "lora-ga:batches=2.5, batches=2.5 is not a whole number above 0",
        "lora:rank=4:rank=8, rank is given twice",
        "lora:, \"\" is not KEY=VALUE",
        ":, there is no method \"\"",
        "lora:alpha=x, alpha=x is not a number above 0",
        "lora+:ratio=-1, ratio=-1 is not a number above 0",
        "lora:rates=1e-3+x, rates=x is not a number above 0",
        "lora:rates=1e-3+0.001, 1e-3 comes twice among its rates",
        "lora:rates=1e-3+, rates= is not a number above 0",
        "lora:seeds=one, seeds are whole numbers",
        "lora:seeds=-1, seeds are whole numbers of at least 0",
        "lora:seeds=0+, seeds are whole numbers",
        "lora:seeds=0+1+0, 0 comes twice among its seeds",
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
