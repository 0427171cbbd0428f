package io.github.loradjl.zoo.text.chat;

import java.util.List;

/** The variable {@code loop} at one turn of a loop. */
record Loop(List<Object> items, int place, int depth) {

    /** Finds what the loop knows under a name, or null. */
    Object attribute(String name) {
        return switch (name) {
            case "index" -> place + 1L;
            case "index0" -> (long) place;
            case "revindex" -> (long) items.size() - place;
            case "revindex0" -> items.size() - place - 1L;
            case "first" -> place == 0;
            case "last" -> place == items.size() - 1;
            case "length" -> (long) items.size();
            case "depth" -> (long) depth;
            case "depth0" -> depth - 1L;
            case "previtem" -> neighbour(place - 1, name);
            case "nextitem" -> neighbour(place + 1, name);
            case "cycle" ->
                    (Callable)
                            arguments -> {
                                arguments.need(0, "value");
                                return arguments.placed().get(place % arguments.placed().size());
                            };
            default -> null;
        };
    }

    private Object neighbour(int index, String name) {
        return index < 0 || index >= items.size() ? new Undefined(name) : items.get(index);
    }
}
