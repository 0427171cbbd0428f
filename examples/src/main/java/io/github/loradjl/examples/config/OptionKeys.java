package io.github.loradjl.examples.config;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The options of a command by key, and by heading. */
public final class OptionKeys {

    /** Options about one call, not about what is to be done. */
    private static final Set<String> CALL_ONLY = Set.of("config", "stacktrace");

    /** Options that may stand in a file but do not belong to what a run is. */
    private static final Set<String> NOT_KEPT = Set.of("resume", "overwrite", "dry_run");

    private OptionKeys() {}

    /**
     * Returns the key of an option.
     *
     * @param option the option
     * @return its longest name, with underscores
     */
    public static String key(OptionSpec option) {
        return option.longestName().replaceFirst("^-+", "").replace('-', '_');
    }

    static boolean isConfigurable(OptionSpec option) {
        return !option.usageHelp()
                && !option.versionHelp()
                && !option.hidden()
                && !CALL_ONLY.contains(key(option));
    }

    static boolean isKept(OptionSpec option) {
        return isConfigurable(option) && !NOT_KEPT.contains(key(option));
    }

    /** Returns the options that can be configured, by key. */
    static Map<String, OptionSpec> byKey(CommandSpec command) {
        Map<String, OptionSpec> options = new LinkedHashMap<>();
        for (OptionSpec option : command.options()) {
            if (isConfigurable(option)) {
                options.put(key(option), option);
            }
        }
        return options;
    }

    /**
     * Groups the options of a command: first its own, under an empty heading, then those of each
     * mixin under the mixin's name. Options about one call only, as {@code --help}, are not among
     * them, {@code --config} excepted.
     *
     * @param command the command
     * @return the options by heading
     */
    public static Map<String, List<OptionSpec>> byHeading(CommandSpec command) {
        Map<String, List<OptionSpec>> groups = new LinkedHashMap<>();
        groups.put("", new ArrayList<>());
        command.mixins().keySet().forEach(heading -> groups.put(heading, new ArrayList<>()));
        for (OptionSpec option : command.options()) {
            if (isConfigurable(option) || option.longestName().equals("--config")) {
                groups.get(heading(command, option)).add(option);
            }
        }
        groups.values().removeIf(List::isEmpty);
        return groups;
    }

    private static String heading(CommandSpec command, OptionSpec option) {
        for (Map.Entry<String, CommandSpec> mixin : command.mixins().entrySet()) {
            if (mixin.getValue().findOption(option.longestName()) != null) {
                return mixin.getKey();
            }
        }
        return "";
    }
}
