package io.github.loradjl.examples.benchmark.speed;

import io.github.loradjl.examples.command.Failures;
import io.github.loradjl.examples.compare.JsonFiles;
import io.github.loradjl.zoo.text.TextTokenizer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;

/** Runs one row of the benchmark; see {@code examples/benchmarks/speed.md}. */
@Command(
        name = "speed",
        description = "Runs a row of the benchmark beside PEFT.",
        mixinStandardHelpOptions = true)
public final class Speed implements Callable<Integer> {

    @Parameters(paramLabel = "ROW", description = "one of ${COMPLETION-CANDIDATES}")
    private Row row;

    @Option(names = "--model", required = true, description = "a Hugging Face folder")
    private Path model;

    @Option(names = "--data", required = true, description = "GSM8K's train.jsonl")
    private Path data;

    @Option(names = "--python", defaultValue = "python3", description = "a Python with PEFT")
    private String python;

    @Option(names = "--dtype", defaultValue = "float32", description = "float32 or bfloat16")
    private String dtype;

    @Option(names = "--turns", description = "how often each side works")
    private Integer turns;

    @Option(
            names = "--limit",
            defaultValue = "4000",
            description = "the memory of the longest batch in megabytes")
    private double limit;

    @Option(
            names = "--out",
            defaultValue = "examples/benchmarks/speed-figures",
            description = "results")
    private Path out;

    @Option(names = "--work", defaultValue = "examples/target/speed", description = "scratch")
    private Path scratch;

    /**
     * Runs a row.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(run(new Speed(), args));
    }

    /** Runs a command; what goes wrong is said in a line. */
    static int run(Callable<Integer> command, String... args) {
        return new CommandLine(command)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(Failures::usage)
                .setExecutionExceptionHandler(
                        (exception, line, parsed) ->
                                Failures.report(exception, line.getErr(), false))
                .execute(args);
    }

    /** {@inheritDoc} */
    @Override
    public Integer call() throws Exception {
        Files.createDirectories(scratch);
        Path adapter = scratch.resolve("adapter-" + model.getFileName());
        if (!Files.exists(adapter)) {
            run(List.of(python, script(), "adapter", model.toString(), dtype, "-", "" + adapter));
        }
        Path file = scratch.resolve(row + ".json");
        Batches batches;
        try (TextTokenizer tokenizer = TextTokenizer.load(model)) {
            batches = row.batches(tokenizer, data);
            batches.write(file);
        }
        int count = turns == null ? row.turns() : turns;
        if (row == Row.LONGEST) {
            longest(batches, file, adapter, count);
            return 0;
        }
        try (Side ours = side(java(), row.ours(), file, adapter);
                Side others =
                        side(row.isBesideOurs() ? java() : peft(), row.other(), file, adapter)) {
            compare(ours, others, batches, count);
        }
        return 0;
    }

    private void compare(Side ours, Side others, Batches batches, int count) throws IOException {
        long tokens = 0;
        for (int turn = 0; turn < count + row.warmUp(); turn++) {
            if (turn == row.warmUp()) {
                ours.warm();
                others.warm();
                tokens = 0;
            }
            Side.Turn mine = ours.work();
            Side.Turn theirs = others.work();
            tokens += row.tokens(batches, turn);
            System.err.printf(
                    Locale.ROOT,
                    "%2d: %.3f s, %.3f s, ratio %.3f; values %.5f, %.5f%n",
                    turn,
                    mine.seconds(),
                    theirs.seconds(),
                    mine.seconds() / theirs.seconds(),
                    mine.value(),
                    theirs.value());
            double tolerance = row.tolerance(dtype);
            if (Result.difference(mine.value(), theirs.value()) > tolerance) {
                throw new IllegalStateException("the two sides do not compute the same");
            }
        }
        Result result = Result.of(ours, others, tokens);
        new JsonFiles(out).save(row + "-" + dtype, result);
        System.out.printf(
                Locale.ROOT,
                "%s %s: time %.3f s, %.3f s, ratio %.3f (%.3f to %.3f); memory %.0f MB, %.0f MB,"
                        + " ratio %.3f; tokens per second %.1f, %.1f, ratio %.2f%n",
                row,
                dtype,
                result.ours().median(),
                result.others().median(),
                result.ratio(),
                result.lowest(),
                result.highest(),
                result.ours().peak(),
                result.others().peak(),
                result.memoryRatio(),
                result.tokensPerSecond().get(0),
                result.tokensPerSecond().get(1),
                result.tokensPerSecond().get(0) / result.tokensPerSecond().get(1));
    }

    private void longest(Batches batches, Path file, Path adapter, int count) throws IOException {
        int most = batches.batches().get(0).size();
        Map<String, List<String>> programs = new LinkedHashMap<>();
        programs.put("ours", java());
        programs.put("others", peft());
        Map<String, Longest> found = new LinkedHashMap<>();
        for (String name : programs.keySet()) {
            Longest.Trial trial =
                    rows -> {
                        batches.first(rows).write(file);
                        try (Side side = side(programs.get(name), row.ours(), file, adapter)) {
                            for (int turn = 0; turn < count; turn++) {
                                side.work();
                            }
                            double peak = Figures.of(side).peak();
                            System.err.printf(
                                    Locale.ROOT, "%s: %d rows, %.0f MB%n", name, rows, peak);
                            return peak;
                        }
                    };
            found.put(name, Longest.search(most, limit, trial));
        }
        new JsonFiles(out).save(row + "-" + dtype, found);
        found.forEach(
                (name, longest) ->
                        System.out.printf(
                                Locale.ROOT,
                                "%s %s: %s %d rows in %.0f MB; one more takes %.0f MB%n",
                                row,
                                dtype,
                                name,
                                longest.rows(),
                                longest.peak(),
                                longest.above()));
    }

    private Side side(List<String> program, String work, Path file, Path adapter)
            throws IOException {
        List<String> command = new ArrayList<>(program);
        command.addAll(
                List.of(
                        work,
                        model.toString(),
                        dtype,
                        file.toString(),
                        adapter.toString(),
                        "" + row.written()));
        return new Side(work, command, row == Row.FIRST);
    }

    private List<String> peft() {
        // Without the settings that examples/lora makes for our side.
        List<String> command = new ArrayList<>(List.of("env"));
        for (String name : List.of("MKL_CBWR", "MKL_DYNAMIC", "GLIBC_TUNABLES")) {
            command.addAll(List.of("-u", name));
        }
        command.addAll(List.of(python, script()));
        return command;
    }

    private static String script() {
        return Path.of(System.getProperty("lora.examples"), "benchmarks", "peft_speed.py")
                .toString();
    }

    private static List<String> java() {
        return Side.java(SpeedWorker.class);
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        int code = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (code != 0) {
            throw new IOException(command + " ended with " + code);
        }
    }
}
