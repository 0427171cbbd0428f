package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.loradjl.examples.config.ConfigWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The options of the real commands as a configuration. */
class FinetuneConfigTest {

    @TempDir private Path folder;

    @Test
    void config_writtenAndRead_hasTheSameValues() throws IOException {
        CommandSpec first =
                parse(
                        "finetune",
                        "--model=m",
                        "--data=a.jsonl,b",
                        "--data-weights=1,0.5",
                        "--no-rank-stabilized",
                        "--target-modules=q_proj,v_proj",
                        "--init=gaussian_0.02",
                        "--no-length-groups",
                        "--packing",
                        "--schedule=linear",
                        "--lr=3e-4",
                        "--sample-prompt=Once: \"a\"\n",
                        "--prompt-format={prompt}\n\n",
                        "--dtype=bfloat16");
        Path file = folder.resolve("config.yaml");
        Files.writeString(file, ConfigWriter.text(first, Map.of()));
        assertThat(values(parse("finetune", "--config=" + file))).isEqualTo(values(first));
    }

    @Test
    void config_ofAllDefaults_hasTheSameValues() throws IOException {
        for (String name : List.of("finetune", "generate", "inspect", "merge", "pretrain")) {
            String[] required =
                    switch (name) {
                        case "generate" -> new String[] {name, "--prompt=p"};
                        case "merge" -> new String[] {name, "--adapter=a", "--out=o"};
                        case "pretrain" -> new String[] {name, "--out=o"};
                        default -> new String[] {name};
                    };
            CommandSpec first = parse(required);
            Path file = folder.resolve("config.yaml");
            Files.writeString(file, ConfigWriter.text(first, Map.of()));
            assertThat(values(parse(name, "--config=" + file))).isEqualTo(values(first));
        }
    }

    @Test
    void flags_givenAsTheFileGivesThem_stayOn() {
        // picocli turns a flag to the opposite of its default unless it has a fallback.
        for (CommandSpec command : commands()) {
            for (OptionSpec option : command.options()) {
                if (option.arity().max() == 0 && !option.inherited() && !option.usageHelp()) {
                    assertThat(option.versionHelp() || "true".equals(option.fallbackValue()))
                            .as(command.name() + " " + option.longestName())
                            .isTrue();
                }
            }
        }
    }

    @Test
    void options_ofEveryCommand_areDescribed() {
        for (CommandSpec command : commands()) {
            for (OptionSpec option : command.options()) {
                assertThat(String.join("", option.description()))
                        .as(command.name() + " " + option.longestName())
                        .endsWith(".");
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--learning-rat=1 | did you mean --learning-rate?",
                "--rank=0 | '--rank': '0' is not a whole number of at least 1",
                "--rank=2.5 | '2.5' is not a whole number",
                "--alpha=-1 | '-1' is not a number above 0",
                "--dropout=1 | '1' is not a number from 0 to below 1",
                "--init=zeros | zeros",
                "--init=lora | unknown start 'lora'",
                "--dtype=float16 | expected one of [float32, bfloat16]",
                "--schedule=step | expected one of [cosine, linear, constant]",
                "--lr=0 | '--learning-rate': '0' is not a number above 0",
                "--lr=NaN | 'NaN' is not a number above 0",
                "--epochs=0 | --epochs",
                "--max-steps=0 | --max-steps",
                "--batch-size=0 | --batch-size",
                "--gradient-accumulation-steps=0 | --gradient-accumulation-steps",
                "--warmup-ratio=1.1 | --warmup-ratio",
                "--warmup-steps=-1 | --warmup-steps",
                "--min-lr-ratio=2 | --min-lr-ratio",
                "--max-grad-norm=0 | --max-grad-norm",
                "--weight-decay=-1 | --weight-decay",
                "--adam-beta1=1 | --adam-beta1",
                "--adam-beta2=-0.1 | --adam-beta2",
                "--adam-epsilon=0 | --adam-epsilon",
                "--loraplus-lr-ratio=0.5 | --loraplus-lr-ratio",
                "--eval-steps=-1 | --eval-steps",
                "--logging-steps=0 | --logging-steps",
                "--save-steps=-1 | --save-steps",
                "--save-total-limit=0 | --save-total-limit",
                "--sample-steps=-1 | --sample-steps",
                "--early-stopping-patience=0 | --early-stopping-patience",
                "--calibration-batches=0 | --calibration-batches",
                "--max-length=1 | --max-length",
                "--hold-out=1 | --hold-out",
                "--limit=0 | --limit",
                "--seed=x | --seed",
                "--data=a,b --data-weights=1 | --data-weights has 1 numbers for 2 --data",
                "--data-weights=1 | --data-weights has 1 numbers for 0 --data",
                "--data=a --data-weights=0 | --data-weights",
                "--warmup-ratio=0 --warmup-steps=1 | --warmup-ratio and --warmup-steps",
                "--resume --overwrite | --resume goes on with what --overwrite replaces",
                "--resume --init-adapter=x | --init-adapter begins a new one",
                "learning_rat=1 | argument learning_rat=1: unknown key learning_rat; did you mean",
                "rank=0 | argument rank=0: rank: '0' is not a whole number of at least 1",
                "stacktrace=true | unknown key stacktrace",
                "--config=none.yaml | --config none.yaml: there is no such file",
            })
    void wrongOption_isOneLineAndLeavesNothing(String line, String message) {
        Path out = folder.resolve("out");
        Stream<Object> arguments =
                Stream.concat(Stream.of("finetune", "--out", out), Stream.of(line.split(" ")));
        CommandLine run = CommandLine.run(arguments.toArray());
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("lora: ").contains(message, "lora finetune --help");
        assertThat(out).doesNotExist();
    }

    @Test
    void wrongFile_isOneLineAndLeavesNothing() throws IOException {
        Path out = folder.resolve("out");
        Path file = folder.resolve("run.yaml");
        Files.writeString(file, "# mine\nrank: 8\nlearning_rat: 1\n");
        CommandLine run = CommandLine.run("finetune", "--config", file, "--out", out);
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err())
                .startsWith("lora: " + file + ":3:1: unknown key learning_rat; did you mean")
                .hasLineCount(1);
        Files.writeString(file, "max_grad_norm: [1");
        run = CommandLine.run("finetune", "--config", file, "--out", out);
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).startsWith("lora: " + file + ":").hasLineCount(1);
        assertThat(out).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "finetune",
                "generate",
                "merge",
                "inspect",
                "card",
                "publish",
                "adapters",
                "pretrain",
                "stories"
            })
    void help_ofEachCommand_hasExampleAndExitCodes(String command) {
        Object[] arguments = Stream.of(command, "--help").filter(a -> !a.isEmpty()).toArray();
        CommandLine run = CommandLine.run(arguments);
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).contains("Example", "examples/lora", "Exit codes:", "2 ", "Help:");
        if (command.equals("finetune")) {
            assertThat(run.out().lines())
                    .containsSubsequence(
                            "Model:",
                            "Data:",
                            "Rows:",
                            "Adapter:",
                            "Training:",
                            "Optimizer:",
                            "Run:",
                            "Configuration:",
                            "Help:");
        }
    }

    private static CommandSpec parse(String... arguments) {
        picocli.CommandLine line = Lora.commandLine(new PrintWriter(new StringWriter()), arguments);
        line.parseArgs(arguments);
        return line.getSubcommands().get(arguments[0]).getCommandSpec();
    }

    private static Collection<CommandSpec> commands() {
        return Lora.commandLine(new PrintWriter(new StringWriter()))
                .getSubcommands()
                .values()
                .stream()
                .map(picocli.CommandLine::getCommandSpec)
                .toList();
    }

    private static Map<String, Object> values(CommandSpec command) {
        Map<String, Object> values = new TreeMap<>();
        for (OptionSpec option : command.options()) {
            Object value = option.getValue();
            if (value != null && !option.longestName().equals("--config")) {
                boolean isArray = value.getClass().isArray();
                values.put(option.longestName(), isArray ? Arrays.asList((Object[]) value) : value);
            }
        }
        return values;
    }
}
