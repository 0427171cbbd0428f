package io.github.loradjl.examples.config;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Holds a run's configuration against the one that it was begun with. */
public final class ConfigDifferences {

    private ConfigDifferences() {}

    /**
     * Finds the keys whose values are not those of a file.
     *
     * @param file the file of the run that was begun
     * @param text what {@link ConfigWriter} writes for the present command
     * @param free keys that may differ
     * @return one line for each other key that differs, with both values
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException if it is no configuration
     */
    public static List<String> find(Path file, String text, Set<String> free) throws IOException {
        Map<String, ConfigEntry> before = ConfigReader.read(file);
        Map<String, ConfigEntry> now = ConfigReader.parse(text, "this command");
        Set<String> keys = new TreeSet<>(before.keySet());
        keys.addAll(now.keySet());
        keys.removeAll(free);
        List<String> differences = new ArrayList<>();
        for (String key : keys) {
            String old = value(before.get(key));
            String present = value(now.get(key));
            if (!old.equals(present)) {
                differences.add(key + " was " + old + " and is " + present);
            }
        }
        return differences;
    }

    private static String value(ConfigEntry entry) {
        return entry == null || entry.isUnset() ? "not given" : String.join(", ", entry.values());
    }
}
