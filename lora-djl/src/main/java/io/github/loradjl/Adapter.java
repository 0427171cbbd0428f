package io.github.loradjl;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.PrivateCopies;

import java.util.List;

/** One named adapter of a {@link LoraModel}: its configuration and what it holds. */
final class Adapter {

    private final LoraConfig config;
    private final List<LoraLinear> layers;
    private final PrivateCopies copies;
    private volatile boolean pending;

    Adapter(LoraConfig config, List<LoraLinear> layers, PrivateCopies copies) {
        this.config = config;
        this.layers = List.copyOf(layers);
        this.copies = copies;
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
}
