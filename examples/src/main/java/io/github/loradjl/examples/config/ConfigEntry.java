package io.github.loradjl.examples.config;

import java.util.List;

/**
 * A key with its value as written.
 *
 * @param key the key
 * @param values the value, or those of the list; empty for null, which means not given
 * @param isList whether the value is a list
 * @param place where the key is
 * @param valuePlace where the value is
 */
record ConfigEntry(
        String key, List<String> values, boolean isList, String place, String valuePlace) {

    boolean isUnset() {
        return values.isEmpty();
    }
}
