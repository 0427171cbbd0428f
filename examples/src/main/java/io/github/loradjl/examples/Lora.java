package io.github.loradjl.examples;

import io.github.loradjl.examples.command.AdaptersCommand;
import io.github.loradjl.examples.command.CardCommand;
import io.github.loradjl.examples.command.ChatCommand;
import io.github.loradjl.examples.command.CompareCommand;
import io.github.loradjl.examples.command.DoctorCommand;
import io.github.loradjl.examples.command.EvaluateCommand;
import io.github.loradjl.examples.command.Failures;
import io.github.loradjl.examples.command.FinetuneCommand;
import io.github.loradjl.examples.command.GenerateCommand;
import io.github.loradjl.examples.command.InspectCommand;
import io.github.loradjl.examples.command.Interruption;
import io.github.loradjl.examples.command.MergeCommand;
import io.github.loradjl.examples.command.PretrainCommand;
import io.github.loradjl.examples.command.PublishCommand;
import io.github.loradjl.examples.command.StoriesCommand;
import io.github.loradjl.examples.config.Configuration;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/**
 * The {@code lora} command: fine-tunes a model, uses, merges and describes the result.
 *
 * <p>Standard output carries a command's result alone; progress and messages go to standard error.
 * The exit code is 0 after success, 2 for a command line that cannot be understood and 1 for every
 * other failure, each with one line that says what was wrong.
 */
@Command(
        name = "lora",
        description = "Fine-tunes LLaMA models with LoRA and LoRA-GA on DJL.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  examples/lora finetune",
            "      the small model that ships learns to answer questions, in two minutes",
            "  examples/lora finetune --model DIR --data rows.jsonl --out run",
            "      a model of yours (a Hugging Face folder) learns the rows of a file",
            "  examples/lora generate --model DIR --adapter run/adapter --prompt \"Once\"",
            "      and shows what it has learnt",
            "",
            "examples/lora COMMAND --help explains a command and each of its options."
        },
        mixinStandardHelpOptions = true,
        version = "lora-djl 0.1.0",
        subcommands = {
            FinetuneCommand.class,
            CompareCommand.class,
            EvaluateCommand.class,
            GenerateCommand.class,
            ChatCommand.class,
            MergeCommand.class,
            InspectCommand.class,
            CardCommand.class,
            PublishCommand.class,
            AdaptersCommand.class,
            PretrainCommand.class,
            StoriesCommand.class,
            DoctorCommand.class
        })
public final class Lora implements Runnable {

    @Spec private CommandSpec spec;

    @Option(
            names = "--stacktrace",
            scope = ScopeType.INHERIT,
            description = "Show where in the code a failure happened.")
    private boolean stacktrace;

    private Lora() {}

    /**
     * Runs one command and ends the process with its exit code.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        setDefaults();
        Interruption.install();
        int code =
                run(
                        new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
                        arguments);
        Interruption.finished();
        System.exit(code);
    }

    /**
     * Runs one command.
     *
     * @param out takes the result
     * @param err takes the line that says what was wrong
     * @param arguments the command line
     * @return the exit code
     */
    public static int run(PrintWriter out, PrintWriter err, String... arguments) {
        CommandLine line;
        try {
            line = commandLine(err, arguments);
        } catch (ParameterException e) {
            return Failures.usage(e, arguments);
        }
        Lora lora = line.getCommand();
        line.setOut(out)
                .setParameterExceptionHandler(Failures::usage)
                .setExecutionExceptionHandler(
                        (exception, command, result) ->
                                Failures.report(exception, command.getErr(), lora.stacktrace));
        try {
            return line.execute(arguments);
        } catch (LinkageError e) {
            // Natives that do not load.
            return Failures.report(e, err, lora.stacktrace);
        }
    }

    /**
     * Makes a command line whose defaults are those of the configuration that the arguments name.
     *
     * @throws ParameterException if that configuration is wrong
     */
    static CommandLine commandLine(PrintWriter err, String... arguments) {
        Configuration configuration = Configuration.read(newLine(err), arguments);
        return HelpLayout.apply(newLine(err).setDefaultValueProvider(configuration));
    }

    private static CommandLine newLine(PrintWriter err) {
        return new CommandLine(new Lora()).setErr(err).setCaseInsensitiveEnumValuesAllowed(true);
    }

    /** DJL must neither report its use nor look for downloads; a user's own settings stay. */
    private static void setDefaults() {
        setDefault("OPT_OUT_TRACKING", "true");
        setDefault("ai.djl.default_engine", "PyTorch");
        setDefault("java.awt.headless", "true");
        setDefault("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        // The commands tell themselves what became of the rows.
        setDefault("org.slf4j.simpleLogger.log.io.github.loradjl.zoo.text.RowDataset", "error");
        // Says on every start that a machine without a GPU has none.
        setDefault("org.slf4j.simpleLogger.log.ai.djl.util.cuda.CudaUtils", "error");
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** {@inheritDoc} */
    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "a command is missing: " + String.join(", ", commands()));
    }

    private Iterable<String> commands() {
        return spec.subcommands().keySet();
    }
}
