package io.github.loradjl.init;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.Subspaces;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;
import io.github.loradjl.testing.Distance;
import io.github.loradjl.testing.SharedRoot;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;

/** LoRA-GA against values that were computed in double precision from the formulas. */
class LoraGaGoldenTest {

    private static final SvdOptions EXACT = SvdOptions.builder().optExact(true).build();

    private NDManager manager;
    private JsonObject golden;
    private NDList arrays;

    @BeforeEach
    void setUp() throws IOException {
        String json = Files.readString(SharedRoot.require("golden/lora-ga/golden.json"));
        golden = JsonParser.parseString(json).getAsJsonObject();
        manager = NDManager.newBaseManager();
        try (InputStream in =
                Files.newInputStream(SharedRoot.require("golden/lora-ga/golden.safetensors"))) {
            arrays = NDList.decode(manager, in);
        }
    }

    @AfterEach
    void tearDown() {
        if (manager != null) {
            manager.close();
        }
    }

    private LoraStart start(JsonObject thisCase, SvdOptions options) {
        String[] key = thisCase.get("key").getAsString().split("\\.");
        Direction direction =
                switch (key[1]) {
                    case "ArB2r" -> Direction.AR_B2R;
                    case "A2rBr" -> Direction.A2R_BR;
                    case "ArBr" -> Direction.AR_BR;
                    default -> throw new IllegalArgumentException(key[1]);
                };
        Scale scale =
                switch (key[2]) {
                    case "stable" -> Scale.stable(golden.get("gamma").getAsDouble());
                    case "unit" -> Scale.unit();
                    case "gd" -> Scale.gd();
                    default -> throw new IllegalArgumentException(key[2]);
                };
        int r = golden.get("r").getAsInt();
        double alpha = golden.get("alpha").getAsDouble();
        double eta = key[0].equals("rs") ? alpha / Math.sqrt(r) : alpha / r;
        assertThat(eta).isEqualTo(thisCase.get("eta").getAsDouble());
        SingularFactors factors =
                TruncatedSvd.compute(arrays.get("gradient"), 2 * r, options, manager);
        InitContext context =
                new InitContext(
                        "golden",
                        arrays.get("weight"),
                        r,
                        eta,
                        1,
                        manager,
                        GradientFactors.of(factors));
        assertThat(scale.factor(context)).isCloseTo(c(thisCase), within(1e-12));
        LoraGaInit init = LoraGaInit.builder().optDirection(direction).optScale(scale).build();
        return init.start(context).checked(context);
    }

    private static double c(JsonObject thisCase) {
        return thisCase.get("c").getAsDouble();
    }

    @Test
    void start_exactDecomposition_followsAllCases() {
        int cases = 0;
        for (JsonElement element : golden.getAsJsonArray("cases")) {
            JsonObject thisCase = element.getAsJsonObject();
            String key = thisCase.get("key").getAsString();
            double eta = thisCase.get("eta").getAsDouble();
            try (LoraStart start = start(thisCase, EXACT)) {
                NDArray a = start.a();
                NDArray b = start.b();
                // The bound of the issue; a gap of a tenth between neighbours costs float32 about
                // 1e-6.
                assertThat(Distance.relative(a.transpose().matMul(a), arrays.get(key + ".AtA")))
                        .as(key + " A^T A")
                        .isLessThan(1e-5);
                assertThat(Distance.relative(b.matMul(b.transpose()), arrays.get(key + ".BBt")))
                        .as(key + " B B^T")
                        .isLessThan(1e-5);
                NDArray gradient = arrays.get("gradient");
                assertThat(
                                Distance.relative(
                                        start.firstStep(gradient, eta),
                                        arrays.get(key + ".first_step")))
                        .as(key + " first step")
                        .isLessThan(1e-5);
                assertThat(start.firstStepCosine(gradient))
                        .as(key + " cosine")
                        .isCloseTo(thisCase.get("first_step_cosine").getAsDouble(), within(1e-5));
                // All r singular values of eta B A are equal, so its norm is sqrt(r) of them.
                double offset = thisCase.get("offset_spectral_norm").getAsDouble();
                assertThat(start.productNorm(eta) / Math.sqrt(a.getShape().get(0)))
                        .as(key + " offset")
                        .isCloseTo(offset, within(1e-5 * offset));
            }
            cases++;
        }
        assertThat(cases).isEqualTo(18);
    }

    @Test
    void start_defaultDecomposition_reachesTheSameFirstStepCosine() {
        for (JsonElement element : golden.getAsJsonArray("cases")) {
            JsonObject thisCase = element.getAsJsonObject();
            try (LoraStart start = start(thisCase, SvdOptions.defaults())) {
                // The bound of the issue.
                assertThat(start.firstStepCosine(arrays.get("gradient")))
                        .as(thisCase.get("key").getAsString())
                        .isCloseTo(thisCase.get("first_step_cosine").getAsDouble(), within(1e-4));
            }
        }
    }

    /**
     * Adam's first step moves each entry by its sign. From a start by the signs of the gradient it
     * turns closer to that than from one by the gradient itself.
     */
    @Test
    void start_signOfTheGradient_turnsAdamsFirstStepTowardsTheSigns() {
        NDArray gradient = arrays.get("gradient");
        // Computed in double precision from the formulas, given to three places.
        assertThat(adamCosine(gradient, GradientKind.SGD)).isCloseTo(0.608, within(6e-4));
        assertThat(adamCosine(gradient, GradientKind.SIGN)).isCloseTo(0.615, within(6e-4));
        SingularFactors ofSign = TruncatedSvd.compute(gradient.sign(), 8, EXACT, manager);
        assertThat(Subspaces.bestCosine(ofSign, 8)).isCloseTo(0.829, within(6e-4));
    }

    /** Between the singular vectors' cosine and the bound, at least half way as on other data. */
    @Test
    void start_adam_followsTheSignsCloser() {
        assertThat(adamCosine(arrays.get("gradient"), GradientKind.ADAM)).isBetween(.72, .829);
    }

    /** Cosine of the first Adam step to sign(G), from a start of the given kind. */
    private double adamCosine(NDArray gradient, GradientKind kind) {
        LoraGaInit init = LoraGaInit.builder().optGradientKind(kind).optSvdOptions(EXACT).build();
        GradientFactors factors = init.reduce("golden", gradient, 8, 1, manager);
        InitContext context =
                new InitContext("golden", arrays.get("weight"), 4, 4, 1, manager, factors);
        return init.start(context).checked(context).firstAdamStepCosine(gradient);
    }
}
