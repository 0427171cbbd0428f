package io.github.loradjl;

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
     *     probe
     * @param capturedEnergy ||G_2r||<sup>2</sup> / ||G||<sup>2</sup>, the share of the gradient's
     *     energy in the directions that the start spans
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
