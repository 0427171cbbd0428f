package io.github.loradjl.examples.config;

import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.util.List;

/** Lets a command take its options from a file and from {@code key=value} arguments too. */
public final class ConfigOptions {

    /** The name of the mixin, which is the heading of its options in the help. */
    public static final String HEADING = "Configuration";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "YAML file with values for these options. A key is the longest name with"
                            + " underscores: --max-length is max_length. Relative paths in it start"
                            + " at the working directory.")
    private Path file;

    @Parameters(
            paramLabel = "KEY=VALUE",
            arity = "0..*",
            description =
                    "Values in place of those of the file, such as max_length=512, prompt=null (as"
                        + " if not given) or 'target_modules=[q_proj, v_proj]'. An option on the"
                        + " command line comes before both.")
    private List<String> overrides = List.of();

    /** Creates the options; picocli fills them. */
    public ConfigOptions() {}

    Path file() {
        return file;
    }

    List<String> overrides() {
        return overrides;
    }
}
