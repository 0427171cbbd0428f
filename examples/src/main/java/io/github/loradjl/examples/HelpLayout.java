package io.github.loradjl.examples;

import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.examples.config.OptionKeys;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Lays out the help of a command: options under the headings of their mixins, exit codes. */
final class HelpLayout {

    private static final int MIN_WIDTH = 80;
    private static final int MAX_WIDTH = 110;

    private HelpLayout() {}

    static CommandLine apply(CommandLine line) {
        UsageMessageSpec usage = line.getCommandSpec().usageMessage();
        int columns = Integer.getInteger("lora.columns", MIN_WIDTH);
        usage.width(Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns)));
        usage.abbreviateSynopsis(true);
        Map<String, String> codes = new LinkedHashMap<>();
        codes.put("0", "success");
        codes.put("1", "failure; one line on standard error says what was wrong");
        codes.put("2", "a command line or configuration that cannot be understood");
        codes.put("130", "stopped by Ctrl-C");
        usage.exitCodeListHeading("%nExit codes:%n").exitCodeList(codes);
        line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_PARAMETER_LIST, help -> "");
        line.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, HelpLayout::options);
        line.getSubcommands().values().forEach(HelpLayout::apply);
        return line;
    }

    private static String options(Help help) {
        StringBuilder text = new StringBuilder();
        List<OptionSpec> rest = new ArrayList<>(help.commandSpec().options());
        OptionKeys.byHeading(help.commandSpec())
                .forEach(
                        (heading, options) -> {
                            rest.removeAll(options);
                            heading(text, heading.isEmpty() ? "Options" : heading);
                            boolean isOwn =
                                    heading.isEmpty()
                                            && !help.commandSpec()
                                                    .mixins()
                                                    .containsKey(ConfigOptions.HEADING);
                            text.append(isOwn ? help.parameterList() : "");
                            text.append(help.optionListExcludingGroups(options));
                            if (heading.equals(ConfigOptions.HEADING)) {
                                text.append(help.parameterList());
                            }
                        });
        rest.removeIf(OptionSpec::hidden);
        heading(text, "Help");
        return text.append(help.optionListExcludingGroups(rest)).toString();
    }

    private static void heading(StringBuilder text, String heading) {
        text.append(String.format("%n%s:%n", heading));
    }
}
