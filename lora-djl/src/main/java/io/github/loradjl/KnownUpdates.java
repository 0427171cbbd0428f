package io.github.loradjl;

import ai.djl.ndarray.types.Shape;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;

import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** Checks that updates made elsewhere fit the layers they are for. */
final class KnownUpdates {

    private KnownUpdates() {}

    static void check(String name, Set<LoraLinear> layers, Map<String, LowRankUpdate> updates) {
        Set<String> homeless = new LinkedHashSet<>(updates.keySet());
        Set<String> missing = new LinkedHashSet<>();
        for (LoraLinear layer : layers) {
            if (!homeless.remove(layer.getPath())) {
                missing.add(layer.getPath());
            }
        }
        if (!homeless.isEmpty() || !missing.isEmpty()) {
            throw new IllegalArgumentException(
                    "adapter "
                            + name
                            + " does not fit this model: "
                            + (homeless.isEmpty() ? "" : "it changes " + homeless + ", no targets")
                            + (homeless.isEmpty() || missing.isEmpty() ? "" : ", and ")
                            + (missing.isEmpty() ? "" : "it lacks the targets " + missing));
        }
        for (LoraLinear layer : layers) {
            LowRankUpdate update = updates.get(layer.getPath());
            Shape a = new Shape(update.getRank(), layer.getIn());
            Shape b = new Shape(layer.getOut(), update.getRank());
            if (!update.getA().getShape().equals(a) || !update.getB().getShape().equals(b)) {
                throw new IllegalArgumentException(
                        "adapter "
                                + name
                                + " does not fit "
                                + layer.getPath()
                                + ": A has shape "
                                + update.getA().getShape()
                                + " and B "
                                + update.getB().getShape()
                                + " where the layer needs "
                                + a
                                + " and "
                                + b);
            }
        }
    }
}
