package io.github.loradjl.zoo.text.chat;

import java.util.HashMap;
import java.util.Map;

/** The variables that can be seen at a place of a template: its own over those around it. */
final class Scope {

    private final Scope outer;
    private final Rendering rendering;
    private final Map<String, Object> values = new HashMap<>();

    Scope(Rendering rendering, Map<String, ?> values) {
        outer = null;
        this.rendering = rendering;
        this.values.putAll(values);
    }

    Scope(Scope outer) {
        this.outer = outer;
        rendering = outer.rendering;
    }

    Rendering rendering() {
        return rendering;
    }

    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.values.containsKey(name)) {
                return scope.values.get(name);
            }
        }
        return new Undefined(name);
    }

    void set(String name, Object value) {
        values.put(name, value);
    }
}
