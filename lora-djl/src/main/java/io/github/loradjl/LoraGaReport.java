package io.github.loradjl;

import io.github.loradjl.init.GradientKind;
import io.github.loradjl.init.LoraStart;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What a LoRA-GA start holds of the gradient, target by target.
 *
 * @param targets the targets by dotted path
 */
public record LoraGaReport(Map<String, Target> targets) {

    /**
     * Creates a report.
     *
     * @param targets the targets by dotted path
     */
    public LoraGaReport {
        targets = Collections.unmodifiableMap(new LinkedHashMap<>(targets));
    }

    /**
     * One target's start.
     *
     * @param rank r
     * @param gradientNorm ||G||, the Frobenius norm of the averaged gradient; estimated by the
     *     probe; for {@link GradientKind#SIGN} ||sign(G)||
     * @param capturedEnergy the share of energy that the start captures: for {@link
     *     GradientKind#SGD} ||G_2r||<sup>2</sup> / ||G||<sup>2</sup>, which is that of the gradient
     *     in the first SGD step; for {@link GradientKind#SIGN} the same of sign(G); for {@link
     *     GradientKind#ADAM} that of sign(G) in the first Adam step, the square of {@link
     *     LoraStart#firstAdamStepCosine}
     * @param startSize ||eta B0 A0|| / ||W0||, the size of the subtracted product
     */
    public record Target(int rank, double gradientNorm, double capturedEnergy, double startSize) {}

    /** Formats one line for each target. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        targets.forEach(
                (path, t) ->
                        text.append(
                                String.format(
                                        Locale.ROOT,
                                        "%s: rank %d, gradient %.3g, captured %.1f%%, start"
                                                + " %.2f of the weight%n",
                                        path,
                                        t.rank(),
                                        t.gradientNorm(),
                                        100 * t.capturedEnergy(),
                                        t.startSize())));
        return text.toString();
    }
}
