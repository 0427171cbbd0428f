package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Comparisons of a few steps on the small model that ships. */
class CompareCommandIT {

    @TempDir private Path folder;
    private Path train;
    private Path validation;
    private Path out;
    private final PrintStream console = System.err;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    @BeforeEach
    void writeRows() throws IOException {
        List<String> rows = Files.readAllLines(Path.of("data/train.jsonl"));
        train = Files.write(folder.resolve("train.jsonl"), rows.subList(0, 40));
        validation = Files.write(folder.resolve("validation.jsonl"), rows.subList(40, 48));
        out = folder.resolve("out");
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void giveConsoleBack() {
        System.setErr(console);
    }

    private CommandLine compare(Object... more) {
        List<Object> arguments =
                new ArrayList<>(
                        List.of(
                                "compare",
                                "--data",
                                train,
                                "--validation",
                                validation,
                                "--out",
                                out,
                                "--max-steps",
                                4,
                                "--eval-steps",
                                2,
                                "--calibration-batches",
                                2));
        arguments.addAll(List.of(more));
        return CommandLine.run(arguments.toArray());
    }

    private JsonObject run(String id) throws IOException {
        Path file = out.resolve("runs").resolve(id + ".json");
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    private JsonArray losses(String id) throws IOException {
        return run(id).getAsJsonObject("training").getAsJsonArray("losses");
    }

    @Test
    void methods_startFromTheSameModelOnTheSameBatches() throws IOException {
        CommandLine run =
                compare(
                        "--methods",
                        "full,lora,lora+,pissa,lora-ga",
                        "--learning-rates",
                        "1e-3",
                        "--seeds",
                        "0");
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(run.out()).contains("results.md");
        double first = losses("full@1e-3@0").get(0).getAsDouble();
        for (String method : List.of("lora", "lora+", "pissa", "lora-ga")) {
            JsonArray losses = losses(method + "@1e-3@0");
            assertThat(losses).hasSize(4);
            // The same batch before the first step; only full fine-tuning computes otherwise.
            assertThat(losses.get(0).getAsDouble()).as(method).isEqualTo(first, within(1e-5));
            assertThat(losses.get(3).getAsDouble()).as(method).isNotEqualTo(first);
        }
        JsonObject start = run("lora-ga@1e-3@0").getAsJsonObject("start");
        assertThat(start.get("captured").getAsDouble()).isBetween(0.5, 1.0);
        assertThat(out.resolve("results.csv")).exists();
        assertThat(Files.readString(out.resolve("results.md")))
                .contains("| lora-ga | 1e-3 |", "![curves-best-rate.png](curves-best-rate.png)");
    }

    @Test
    void again_onlyWhatIsMissingIsRun() throws IOException {
        String[] grid = {"--methods", "lora", "--learning-rates", "1e-3", "--seeds", "0,1"};
        assertThat(compare((Object[]) grid).code()).isZero();
        JsonArray before = losses("lora@1e-3@1");
        Files.delete(out.resolve("runs").resolve("lora@1e-3@1.json"));
        grid[1] = "lora,rslora";
        said.reset();
        assertThat(compare((Object[]) grid).code()).isZero();
        String log = said.toString(StandardCharsets.UTF_8);
        assertThat(log)
                .contains("lora, rate 1e-3, seed 1", "rslora, rate 1e-3, seed 0")
                .doesNotContain("\nlora, rate 1e-3, seed 0");
        // Same seed, same numbers, whatever ran before in the process.
        assertThat(losses("lora@1e-3@1")).isEqualTo(before);
    }

    @Test
    void otherConditions_areRefusedByName() throws IOException {
        assertThat(compare("--methods", "lora", "--seeds", "0").code()).isZero();
        CommandLine other = compare("--methods", "lora", "--seeds", "0", "--rank", 4);
        assertThat(other.code()).isEqualTo(1);
        assertThat(other.err()).contains("was begun otherwise: rank was 8 and is 4");
    }

    @Test
    void runThatCannotBe_isTold_andTheOthersGoOn() throws IOException {
        CommandLine run =
                compare(
                        "--methods",
                        "lora-ga:rank=64,lora:init=zeros,lora",
                        "--learning-rates",
                        "1e-3",
                        "--seeds",
                        "0");
        assertThat(run.code()).isZero();
        assertThat(Files.readString(out.resolve("results.md")))
                .contains("- lora-ga:rank=64 at 1e-3: LoRA-GA on", "needs 2r <= min(m, n)")
                .contains("- lora:init=zeros at 1e-3: Gradient values are all zeros");
        assertThat(losses("lora@1e-3@0")).hasSize(4);
    }

    @Test
    void diagnostics_agreeWithTheory() throws IOException {
        CommandLine run =
                compare(
                        "--methods",
                        "lora,lora-ga",
                        "--learning-rates",
                        "1e-3",
                        "--seeds",
                        "0",
                        "--diagnostics",
                        "spectra,alignment,moments");
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        for (String method : List.of("lora", "lora-ga")) {
            for (String optimizer : List.of("sgd", "adamw")) {
                JsonObject curve = curve(method, optimizer);
                assertThat(curve.has("failure")).isFalse();
                assertThat(curve.get("rank").getAsInt()).isEqualTo(curve.get("bound").getAsInt());
            }
        }
        double lora = first(curve("lora", "sgd"), "withGradient");
        double loraGa = first(curve("lora-ga", "sgd"), "withGradient");
        assertThat(loraGa).isGreaterThan(2 * lora);
        // The share of the best rank 2r = 16, from singular values and from LoRA-GA's own start.
        double energy = 0;
        int layers = 0;
        for (JsonElement kind : diagnosis("spectra").getAsJsonObject("kinds").asMap().values()) {
            JsonObject spectrum = kind.getAsJsonObject();
            int count = spectrum.get("layers").getAsInt();
            energy += count * spectrum.getAsJsonArray("energy").get(15).getAsDouble();
            layers += count;
        }
        JsonObject start = run("lora-ga@1e-3@0").getAsJsonObject("start");
        assertThat(energy / layers).isEqualTo(start.get("captured").getAsDouble(), within(1e-2));
        assertThat(Files.readString(out.resolve("results.md")))
                .contains(
                        "## Spectra of the gradient",
                        "![energy.png](energy.png)",
                        "![moments-backward.png](moments-backward.png)");
    }

    @Test
    void alignmentBySgd_fullFollowsItsGradient_fromWhereTheMethodBegins() throws IOException {
        CommandLine run =
                compare(
                        "--methods",
                        "lora,pissa,lora:init=false,lora:data=0.5",
                        "--learning-rates",
                        "1e-3",
                        "--seeds",
                        "0",
                        "--diagnostics",
                        "alignment");
        assertThat(run.err()).isEmpty();
        for (String method : List.of("lora", "pissa", "lora,init=false", "lora,data=0.5")) {
            JsonObject curve = curve(method, "sgd");
            JsonArray full = curve.getAsJsonArray("ofFullWithGradient");
            assertThat(full).as(method).hasSize(4);
            // Gradient descent follows -G by definition.
            full.forEach(
                    cosine ->
                            assertThat(cosine.getAsDouble()).as(method).isEqualTo(1, within(1e-4)));
            // From the same point, the full run's step is -G.
            assertThat(first(curve, "withFullStep"))
                    .as(method)
                    .isEqualTo(first(curve, "withGradient"), within(1e-3));
            // After one step, all that has changed is that step.
            assertThat(first(curve, "withFullChange"))
                    .as(method)
                    .isEqualTo(first(curve, "withFullStep"), within(1e-3));
        }
        assertThat(curve("lora,data=0.5", "sgd").get("withGradient"))
                .isNotEqualTo(curve("lora", "sgd").get("withGradient"));
    }

    @Test
    void alignmentByAdamW_ratesOfLoraPlus_turnItsStepsAfterTheFirst() throws IOException {
        CommandLine run =
                compare(
                        "--methods",
                        "lora,lora+",
                        "--learning-rates",
                        "1e-3",
                        "--seeds",
                        "0",
                        "--diagnostics",
                        "alignment");
        assertThat(run.err()).isEmpty();
        JsonArray lora = curve("lora", "adamw").getAsJsonArray("withFullStep");
        JsonArray plus = curve("lora+", "adamw").getAsJsonArray("withFullStep");
        // With B at zero only B moves, in the same direction at any rate.
        assertThat(plus.get(0).getAsDouble()).isEqualTo(lora.get(0).getAsDouble(), within(1e-3));
        assertThat(plus.get(3).getAsDouble()).isNotCloseTo(lora.get(3).getAsDouble(), within(1e-3));
        assertThat(Files.readString(out.resolve("results.md")))
                .contains("SGD at 0.01, AdamW at 1e-3");
    }

    @Test
    void alignment_keepsWhatStaysAndMeasuresWhatChanges() throws IOException {
        List<Object> arguments =
                new ArrayList<>(
                        List.of(
                                "--learning-rates",
                                "1e-3,2e-3",
                                "--seeds",
                                "0",
                                "--diagnostics",
                                "alignment",
                                "--common-rate",
                                "1e-3",
                                "--methods"));
        arguments.add("lora,pissa");
        assertThat(compare(arguments.toArray()).err()).isEmpty();
        said.reset();
        arguments.set(7, "2e-3");
        arguments.set(9, "lora,rslora");
        assertThat(compare(arguments.toArray()).err()).isEmpty();
        assertThat(said.toString(StandardCharsets.UTF_8))
                .contains(
                        "alignment of lora by AdamW",
                        "alignment of rslora by SGD",
                        "alignment of rslora by AdamW")
                .doesNotContain("alignment of lora by SGD", "alignment of pissa");
        assertThat(curve("lora", "adamw").get("rate").getAsDouble()).isEqualTo(2e-3);
        assertThat(Files.readString(out.resolve("results.md")))
                .contains("AdamW at 2e-3", "rslora")
                .doesNotContain("pissa");
    }

    @Test
    void alignmentThatCannotBe_isTold_andTheOthersGoOn() throws IOException {
        CommandLine run =
                compare(
                        "--methods",
                        "lora-ga:rank=64,lora:init=zeros,lora",
                        "--learning-rates",
                        "1e-3",
                        "--seeds",
                        "0",
                        "--diagnostics",
                        "alignment");
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(Files.readString(out.resolve("results.md")))
                .contains(
                        "| lora | 1e-3 |",
                        "Not to the end:",
                        "- lora-ga:rank=64, SGD: LoRA-GA on",
                        "- lora:init=zeros, AdamW: Gradient values are all zeros",
                        "| lora | SGD |");
    }

    @Test
    void alignmentOfNothing_saysSo() throws IOException {
        CommandLine run =
                compare(
                        "--methods",
                        "full",
                        "--learning-rates",
                        "1e-3",
                        "--seeds",
                        "0",
                        "--diagnostics",
                        "alignment");
        assertThat(run.err()).isEmpty();
        assertThat(Files.readString(out.resolve("results.md")))
                .contains("| full | 1e-3 |", "No method has an adapter.");
    }

    @Test
    void diagnosisThatEndsTheCommand_leavesTheResults() throws IOException {
        Path broken = out.resolve("diagnostics").resolve("spectra.json");
        Files.createDirectories(broken.getParent());
        Files.writeString(broken, "[");
        CommandLine run =
                compare(
                        "--methods",
                        "lora",
                        "--learning-rates",
                        "1e-3",
                        "--seeds",
                        "0",
                        "--diagnostics",
                        "spectra");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("spectra.json is not what a comparison found");
        assertThat(Files.readString(out.resolve("results.md"))).contains("| lora | 1e-3 |");
        assertThat(said.toString(StandardCharsets.UTF_8)).contains("| lora | 1e-3 |");
    }

    private JsonObject curve(String method, String optimizer) throws IOException {
        return diagnosis("alignment@" + method + "@" + optimizer);
    }

    /** Questions that only the words around them answer. */
    private Object[] writeTask() throws IOException {
        Path task = folder.resolve("task.yaml");
        Files.write(
                task,
                List.of(
                        "prompt: \"{text} \"",
                        "label_column: name",
                        "labels: {o: Otto, i: Ivy}",
                        "metrics: [accuracy]"));
        List<String> rows =
                List.of(
                        "text\tname",
                        "Q: Who was happy? A:\to",
                        "Q: Who lost the bell? A:\to",
                        "Q: Who found the flute? A:\to",
                        "Q: Whose birthday was it? A:\to");
        train = Files.write(folder.resolve("train.tsv"), rows);
        validation = Files.write(folder.resolve("validation.tsv"), rows);
        return new Object[] {
            "--task",
            task,
            "--prompt-format",
            "Otto the duck was happy. Otto found the flute and lost the bell. It was Otto's"
                    + " birthday. {prompt}"
        };
    }

    private static Object[] both(Object[] some, Object... more) {
        return Stream.concat(Stream.of(some), Stream.of(more)).toArray();
    }

    @Test
    void labels_areAskedForInTheWordsOfTheTraining() throws IOException {
        Object[] task = writeTask();
        // At such a rate the model stays as it is.
        Object[] grid = {"--methods", "lora", "--learning-rates", "1e-12", "--seeds", "0"};
        CommandLine run = compare(both(both(task, grid), "--metric", "labels"));
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(run("lora@1e-12@0").get("metric").getAsDouble())
                .isEqualTo(accuracy(task))
                .isNotEqualTo(accuracy("--task", task[1]));
        assertThat(Files.readString(out.resolve("results.md"))).contains("| accuracy_labels |");
        assertThat(Files.readString(out.resolve("results.csv"))).contains(",accuracy_labels,");
    }

    private double accuracy(Object... options) {
        Object[] evaluate = {"evaluate", "--data", validation, "--metric", "labels"};
        CommandLine run = CommandLine.run(both(evaluate, options));
        assertThat(run.code()).isZero();
        return JsonParser.parseString(run.out()).getAsJsonObject().get("value").getAsDouble();
    }

    @Test
    void metricThatDoesNotGoWithTheTask_isToldBeforeAnyRun() throws IOException {
        Object[] task = writeTask();
        Path file = (Path) task[1];
        List<String> three = new ArrayList<>(Files.readAllLines(file));
        three.set(2, "labels: {o: Otto, i: Ivy, p: Pip}");
        Files.write(file, three);
        Object[] grid = {"--methods", "full,lora", "--learning-rates", "1e-3", "--seeds", "0"};
        CommandLine run = compare(both(both(task, grid), "--metric", "soft"));
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("SOFT compares two labels").hasLineCount(1);
        assertThat(out).doesNotExist();
    }

    @Test
    void commandThatFailedBeforeItsFirstRun_canBeCorrected() throws IOException {
        Object[] grid = {"--methods", "lora", "--learning-rates", "1e-3", "--seeds", "0"};
        Path right = train;
        train = folder.resolve("trian.jsonl");
        CommandLine wrong = compare(grid);
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.err()).contains("trian.jsonl").hasLineCount(1);
        assertThat(out).doesNotExist();
        train = right;
        // As one that was interrupted before its first run came to an end leaves it.
        Files.createDirectories(out);
        Files.writeString(out.resolve("config.yaml"), "rank: 99\n");
        assertThat(compare(grid).code()).isZero();
        assertThat(losses("lora@1e-3@0")).hasSize(4);
        assertThat(Files.readString(out.resolve("config.yaml"))).contains("rank: 8");
    }

    @Test
    void shareOfTheRows_isLearntFrom() throws IOException {
        Object[] grid = {
            "--methods",
            "lora,lora:data=0.2,lora-ga:data=0.2:batches=1",
            "--learning-rates",
            "1e-3",
            "--seeds",
            "0",
            "--reference",
            "lora:data=0.2:seeds=9",
            "--common-rate",
            "0.001"
        };
        CommandLine run = compare(grid);
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        // 8 of 40 rows are one batch, the same in every step.
        JsonArray losses = losses("lora,data=0.2@1e-3@0");
        assertThat(losses).hasSize(4);
        for (int i = 1; i < 4; i++) {
            assertThat(losses.get(i).getAsDouble()).isLessThan(losses.get(i - 1).getAsDouble());
        }
        assertThat(Files.readString(out.resolve("results.md")))
                .contains("steps to the loss of lora:data=0.2 |")
                .containsPattern("\\| lora:data=0\\.2 \\| 1e-3 \\| [0-9.]+ \\| [0-9]+ \\(")
                .contains("## All methods at one rate, 1e-3");
    }

    @Test
    void moreOwnBatchesThanThereAre_areRefusedBeforeAnyRun() {
        CommandLine run =
                compare(
                        "--methods",
                        "lora,lora-ga:data=0.2:batches=2",
                        "--learning-rates",
                        "1e-3",
                        "--seeds",
                        "0");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err())
                .contains("lora-ga:data=0.2:batches=2: its training rows make no more than 1")
                .hasLineCount(1);
        assertThat(out).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--reference pissa | --reference pissa is none of the methods [full, lora:rank=4]",
                "--reference lora | --reference lora is none of the methods [full, lora:rank=4]",
                "--reference dora | there is no method dora",
                "--common-rate 0.25 | --common-rate 0.25 is none of the learning rates [1e-4, 1e-3]"
            })
    void whatIsNotCompared_isNoReference(String options, String why) {
        Object[] grid = {"--methods", "full,lora:rank=4:rates=1e-4", "--learning-rates", "1e-3"};
        CommandLine run = compare(both(grid, (Object[]) options.split(" ")));
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).contains(why).hasLineCount(1);
        assertThat(out).doesNotExist();
    }

    private JsonObject diagnosis(String name) throws IOException {
        Path file = out.resolve("diagnostics").resolve(name + ".json");
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    private static double first(JsonObject curve, String figure) {
        return curve.getAsJsonArray(figure).get(0).getAsDouble();
    }
}
