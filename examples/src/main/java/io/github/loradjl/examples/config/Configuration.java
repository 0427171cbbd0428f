package io.github.loradjl.examples.config;

import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The values that {@link ConfigOptions} bring, as picocli's defaults, so that an option on the
 * command line comes before an argument {@code key=value}, that before the file, and the file
 * before the option's own default.
 */
public final class Configuration implements IDefaultValueProvider {

    private final String command;
    private final Map<String, String> values;

    private Configuration(String command, Map<String, String> values) {
        this.command = command;
        this.values = values;
    }

    /**
     * Reads what a command line names.
     *
     * @param scratch a command line of its own, which is used up
     * @param arguments the arguments
     * @return the values, none if the command takes no configuration
     * @throws ParameterException if a key or a value is wrong; the message names the place
     */
    public static Configuration read(CommandLine scratch, String... arguments) {
        collectErrors(scratch);
        ParseResult result = scratch.parseArgs(arguments);
        while (result.hasSubcommand()) {
            result = result.subcommand();
        }
        CommandSpec command = result.commandSpec();
        CommandSpec mixin = command.mixins().get(ConfigOptions.HEADING);
        if (mixin == null || result.isUsageHelpRequested() || result.isVersionHelpRequested()) {
            return new Configuration("", Map.of());
        }
        for (Exception error : result.errors()) {
            // A value without its option would be taken for an argument of this configuration.
            if (error instanceof UnmatchedArgumentException unmatched) {
                throw unmatched;
            }
        }
        ConfigOptions options = (ConfigOptions) mixin.userObject();
        List<String> overrides = List.copyOf(options.overrides());
        Map<String, ConfigEntry> entries = new LinkedHashMap<>();
        try {
            if (options.file() != null) {
                entries.putAll(file(options.file()));
            }
            // A key of the file must be right even where an argument stands in its place.
            Map<String, String> values = new HashMap<>();
            for (ConfigEntry entry : entries.values()) {
                values.put(name(command, entry), value(command, entry));
            }
            for (String override : overrides) {
                ConfigEntry entry = override(command, override);
                values.put(name(command, entry), value(command, entry));
            }
            values.values().removeIf(value -> value == null);
            return new Configuration(command.name(), values);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), e.getMessage(), e);
        }
    }

    private static void collectErrors(CommandLine line) {
        line.getCommandSpec().parser().collectErrors(true);
        line.getSubcommands().values().forEach(Configuration::collectErrors);
    }

    private static Map<String, ConfigEntry> file(Path file) {
        try {
            return ConfigReader.read(file);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException("--config " + file + ": there is no such file", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "--config " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static ConfigEntry override(CommandSpec command, String argument) {
        String place = "argument " + argument;
        int at = argument.indexOf('=');
        if (at < 1) {
            throw new IllegalArgumentException(
                    place + ": an option (--name) or key=value is expected");
        }
        String key = argument.substring(0, at);
        String text = argument.substring(at + 1);
        OptionSpec option = OptionKeys.byKey(command).get(key);
        boolean isList = option != null && option.isMultiValue() && text.startsWith("[");
        List<String> values =
                text.equals("null")
                        ? List.of()
                        : isList ? ConfigReader.list(text, place) : List.of(text);
        return new ConfigEntry(key, values, isList, place, place);
    }

    /** Returns the longest name of the option that an entry is about. */
    private static String name(CommandSpec command, ConfigEntry entry) {
        Map<String, OptionSpec> options = OptionKeys.byKey(command);
        OptionSpec option = options.get(entry.key());
        if (option != null) {
            return option.longestName();
        }
        OptionSpec alias = command.findOption("--" + entry.key().replace('_', '-'));
        String question =
                alias != null && OptionKeys.isConfigurable(alias)
                        ? "; did you mean " + OptionKeys.key(alias) + "?"
                        : Nearest.question(
                                entry.key().toLowerCase(Locale.ROOT).replace('-', '_'),
                                options.keySet());
        throw new IllegalArgumentException(
                entry.place() + ": unknown key " + entry.key() + question);
    }

    /** Returns an entry's value as picocli takes it, after a trial; null if it is not given. */
    private static String value(CommandSpec command, ConfigEntry entry) {
        OptionSpec option = OptionKeys.byKey(command).get(entry.key());
        if (entry.isUnset()) {
            return null;
        }
        if (entry.isList() && !option.isMultiValue()) {
            throw wrong(entry, "takes one value, not a list");
        }
        for (String value : entry.values()) {
            if (entry.isList() && value.contains(",")) {
                throw wrong(entry, "a value in a list cannot have a comma: " + value);
            }
        }
        if (entry.values().size() > 1 && option.splitRegex().isEmpty()) {
            throw wrong(entry, "takes one value here; several are given on the command line");
        }
        String text = String.join(",", entry.values());
        if (option.arity().max() == 0) {
            if (!text.equals("true") && !text.equals("false")) {
                throw wrong(entry, "'" + text + "' is neither true nor false");
            }
            return text;
        }
        for (Exception error : attempt(command, option, text)) {
            if (error instanceof ParameterException wrong && wrong.getArgSpec() == option) {
                throw wrong(entry, reason(wrong));
            }
        }
        return text;
    }

    private static IllegalArgumentException wrong(ConfigEntry entry, String reason) {
        return new IllegalArgumentException(
                entry.valuePlace() + ": " + entry.key() + ": " + reason);
    }

    /** Tries a value as if it stood on the command line; finds other errors too. */
    private static List<Exception> attempt(CommandSpec command, OptionSpec option, String text) {
        List<String> arguments = new ArrayList<>();
        arguments.add(command.name());
        arguments.add(option.longestName() + "=" + text);
        ParseResult result =
                command.root().commandLine().parseArgs(arguments.toArray(new String[0]));
        while (result.hasSubcommand()) {
            result = result.subcommand();
        }
        return result.errors();
    }

    /** Leaves out how picocli names the option, because the key is named already. */
    private static String reason(ParameterException wrong) {
        return wrong.getMessage().replaceFirst("^Invalid value for option '[^']*'[^:]*: ", "");
    }

    /** {@inheritDoc} */
    @Override
    public String defaultValue(ArgSpec argument) {
        return argument instanceof OptionSpec option && option.command().name().equals(command)
                ? values.get(option.longestName())
                : null;
    }
}
