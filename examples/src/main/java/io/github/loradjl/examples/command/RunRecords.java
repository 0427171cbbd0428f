package io.github.loradjl.examples.command;

import io.github.loradjl.examples.config.ConfigReader;
import io.github.loradjl.examples.report.MetricsWriter;
import io.github.loradjl.examples.report.StepMetrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a run left beside its adapter.
 *
 * @param data names of the training data, without the folders of somebody's disk
 * @param settings how it was trained
 * @param metrics the last figures
 */
record RunRecords(List<String> data, Map<String, String> settings, Map<String, Double> metrics) {

    private static final List<String> SETTINGS =
            List.of(
                    "init",
                    "gamma",
                    "learning_rate",
                    "schedule",
                    "warmup_ratio",
                    "batch_size",
                    "gradient_accumulation_steps",
                    "epochs",
                    "max_steps",
                    "max_length",
                    "weight_decay",
                    "max_grad_norm",
                    "dropout",
                    "dtype",
                    "chat",
                    "packing",
                    "seed");

    /** Finds the folder of the run that left an adapter: what is given, or the one around it. */
    private static Path folder(Path given, Path adapter) throws IOException {
        if (given == null) {
            return adapter.toAbsolutePath().normalize().getParent();
        }
        if (!Files.isDirectory(given)) {
            throw new NotDirectoryException("--run " + given);
        }
        return given;
    }

    /**
     * Reads what there is; a run of another tool left nothing.
     *
     * @param given the folder of the run, or null for the one around the adapter's
     * @param adapter the folder of the adapter
     */
    static RunRecords read(Path given, Path adapter) throws IOException {
        Path run = folder(given, adapter);
        Map<String, List<String>> values = new LinkedHashMap<>();
        Path configuration = run.resolve(RunOptions.CONFIGURATION);
        if (Files.exists(configuration)) {
            values.putAll(ConfigReader.values(configuration));
        }
        Map<String, String> settings = new LinkedHashMap<>();
        for (String key : SETTINGS) {
            if (values.containsKey(key) && !values.get(key).isEmpty()) {
                settings.put(key, String.join(", ", values.get(key)));
            }
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        Path file = run.resolve(RunOptions.METRICS);
        if (Files.exists(file)) {
            for (StepMetrics step : MetricsWriter.read(file)) {
                add(step, settings, metrics);
            }
        }
        return new RunRecords(data(values), settings, metrics);
    }

    private static List<String> data(Map<String, List<String>> values) {
        List<String> files = values.getOrDefault("data", List.of());
        if (files.isEmpty() && !values.isEmpty()) {
            return List.of("the questions about little stories that ship with lora-djl");
        }
        return files.stream().map(file -> Path.of(file).getFileName().toString()).toList();
    }

    private static void add(
            StepMetrics step, Map<String, String> settings, Map<String, Double> metrics) {
        settings.put("steps", Long.toString(step.globalStep()));
        if (step.numTokens() != null) {
            settings.put("tokens", Long.toString(step.numTokens()));
        }
        put(metrics, "loss", step.loss());
        put(metrics, "mean_token_accuracy", step.meanTokenAccuracy());
        put(metrics, "eval_loss", step.evalLoss());
        put(metrics, "eval_perplexity", step.evalPerplexity());
    }

    private static void put(Map<String, Double> last, String key, Double value) {
        if (value != null && Double.isFinite(value)) {
            last.put(key, value);
        }
    }
}
