package io.github.loradjl;

import ai.djl.nn.Parameter;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.adapter.PrivateCopies;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One named adapter of a {@link LoraModel}: its configuration and what it holds. */
final class Adapter {

    private final String name;
    private final LoraConfig config;
    private final List<LoraLinear> layers;
    private final PrivateCopies copies;
    private final Map<String, Parameter> parameters;
    private volatile boolean pending;
    private volatile boolean reached;

    Adapter(String name, LoraConfig config, Collection<LoraLinear> layers, PrivateCopies copies) {
        this.name = name;
        this.config = config;
        this.layers = List.copyOf(layers);
        this.copies = copies;
        parameters = Collections.unmodifiableMap(trained());
    }

    private Map<String, Parameter> trained() {
        Map<String, Parameter> result = new LinkedHashMap<>();
        for (LoraLinear layer : layers) {
            LowRankUpdate update = layer.get(name);
            result.put(layer.getPath() + ".lora_A." + name, update.getParameterA());
            result.put(layer.getPath() + ".lora_B." + name, update.getParameterB());
        }
        result.putAll(copies.getTrained());
        return result;
    }

    LoraConfig config() {
        return config;
    }

    List<LoraLinear> layers() {
        return layers;
    }

    PrivateCopies copies() {
        return copies;
    }

    boolean isPending() {
        return pending;
    }

    void setPending(boolean pending) {
        this.pending = pending;
    }

    /** Returns what training changes, by dotted path. */
    Map<String, Parameter> parameters() {
        return parameters;
    }

    void setTrainable(boolean trainable) {
        for (Parameter parameter : parameters.values()) {
            if (parameter.requiresGradient() != trainable) {
                parameter.freeze(!trainable);
            }
        }
    }

    /** Returns the layers that no forward pass has called; asked after each, so cheap. */
    List<String> unreached() {
        if (reached) {
            return List.of();
        }
        List<String> missed =
                layers.stream().filter(l -> !l.wasCalled()).map(LoraLinear::getPath).toList();
        reached = missed.isEmpty();
        return missed;
    }

    /** Releases all arrays and puts the originals of the copies back. */
    void close() {
        // A trainer goes on to update what is not frozen.
        setTrainable(false);
        copies.close();
        layers.forEach(layer -> layer.remove(name));
    }
}
