package io.github.loradjl.zoo.publish;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.peft.AdapterOrigin;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.zoo.LoraModelZoo;
import io.github.loradjl.zoo.hub.HubId;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The model card of an adapter: {@code README.md} with the settings that the Hugging Face hub
 * reads, so that the folder can be uploaded as it is.
 *
 * @see <a href="https://huggingface.co/docs/hub/model-cards">Model cards</a>
 */
public final class ModelCard {

    private static final String FILE = "README.md";

    private final Builder builder;
    private final LoraConfig config;
    private final AdapterOrigin origin;
    private final String base;

    private ModelCard(Builder builder) throws IOException {
        if (builder.adapter == null || builder.name == null || builder.name.isBlank()) {
            throw new IllegalArgumentException(
                    "a card is about an adapter with a name: call setAdapter and setName");
        }
        this.builder = builder;
        config = PeftAdapter.readConfig(builder.adapter);
        origin = PeftAdapter.readOrigin(builder.adapter);
        base =
                BaseName.check(
                        builder.adapter, builder.base != null ? builder.base : origin.baseModel());
    }

    /**
     * Creates a builder.
     *
     * @return the builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Writes the card into the adapter's folder.
     *
     * @param overwrite true to replace a card that is there
     * @return the file
     * @throws IllegalStateException if there is a card, which may hold somebody's words
     * @throws IOException if writing fails
     */
    public Path write(boolean overwrite) throws IOException {
        Path file = builder.adapter.resolve(FILE);
        if (Files.exists(file) && !overwrite) {
            throw new IllegalStateException(
                    file + " exists already and is not replaced unless that is asked for");
        }
        AtomicFile.writeString(file, toText());
        return file;
    }

    /**
     * Returns the card.
     *
     * @return Markdown with front matter
     */
    public String toText() {
        StringBuilder text = new StringBuilder();
        frontMatter(text);
        text.append("\n# ").append(line(builder.name)).append("\n\n");
        text.append(
                builder.description == null
                        ? "A LoRA adapter for " + base + "."
                        : line(builder.description));
        text.append("\n\n## What it is\n\n| | |\n|---|---|\n");
        facts().forEach((key, value) -> row(text, key, value));
        if (!builder.metrics.isEmpty()) {
            text.append("\n## How good it is\n\n| metric | value |\n|---|---|\n");
            builder.metrics.forEach((key, value) -> row(text, key, number(value)));
        }
        if (!builder.data.isEmpty()) {
            text.append("\n## Training data\n\n");
            builder.data.forEach(each -> text.append("- ").append(line(each)).append('\n'));
        }
        if (!builder.settings.isEmpty()) {
            text.append("\n## Training\n\n| setting | value |\n|---|---|\n");
            builder.settings.forEach((key, value) -> row(text, key, value));
        }
        if (!isClassifier()) {
            // A classifier's head depends on the program.
            text.append("\n## In Java\n\n```java\n").append(java()).append("```\n");
            text.append("\n## In Python\n\n```python\n").append(python()).append("```\n");
        }
        text.append("\n### Framework versions\n\n- lora-djl, in the format of PEFT 0.21.0\n");
        return text.toString();
    }

    private void frontMatter(StringBuilder text) {
        text.append("---\n");
        setting(text, "base_model", base);
        setting(text, "library_name", "peft");
        if (builder.license != null) {
            setting(text, "license", builder.license);
        }
        if (!isClassifier()) {
            setting(text, "pipeline_tag", task());
        }
        text.append("tags:\n");
        Set<String> tags = new TreeSet<>(Set.of("base_model:adapter:" + base, "lora", "lora-djl"));
        tags.add(origin.method());
        tags.forEach(tag -> text.append("- ").append(quoted(tag)).append('\n'));
        if (!builder.metrics.isEmpty()) {
            text.append("metrics:\n");
            builder.metrics
                    .keySet()
                    .forEach(key -> text.append("- ").append(quoted(key)).append('\n'));
            index(text);
        }
        text.append("---\n");
    }

    /** Writes the results in the form that the hub shows. */
    private void index(StringBuilder text) {
        String data = builder.data.isEmpty() ? "the training data" : builder.data.get(0);
        text.append("model-index:\n- name: ").append(quoted(builder.name)).append('\n');
        text.append("  results:\n  - task:\n      type: ").append(task()).append('\n');
        text.append("    dataset:\n      type: file\n      name: ")
                .append(quoted(data))
                .append("\n    metrics:\n");
        builder.metrics.forEach(
                (key, value) -> {
                    text.append("    - type: ").append(quoted(key)).append('\n');
                    text.append("      value: ").append(number(value)).append('\n');
                });
    }

    private static void setting(StringBuilder text, String key, String value) {
        text.append(key).append(": ").append(quoted(value)).append('\n');
    }

    /** Writes a YAML text in quotes where it could be taken for something else. */
    private static String quoted(String value) {
        if (value.matches("[A-Za-z][A-Za-z0-9_./-]*")
                && !value.matches("(?i)true|false|yes|no|null|on|off|y|n")) {
            return value;
        }
        return '"' + line(value).replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static String line(String text) {
        return text.replaceAll("\\p{Cntrl}+", " ").strip();
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.valueOf((long) value)
                : String.format(Locale.ROOT, "%.4f", value);
    }

    private static void row(StringBuilder text, String key, String value) {
        text.append("| ").append(cell(key)).append(" | ").append(cell(value)).append(" |\n");
    }

    private static String cell(String text) {
        return line(text).replace("|", "\\|");
    }

    /** Returns the hub's name of what the adapter does. */
    private String task() {
        if (isClassifier()) {
            return "text-classification";
        }
        return isEncoderDecoder() ? "text2text-generation" : "text-generation";
    }

    private boolean isEncoderDecoder() {
        return "SEQ_2_SEQ_LM".equals(origin.taskType());
    }

    private boolean isClassifier() {
        return "SEQ_CLS".equals(origin.taskType());
    }

    private Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "base model",
                base + (origin.baseRevision() == null ? "" : "@" + origin.baseRevision()));
        if (origin.baseFingerprint() != null) {
            facts.put("SHA-256 of its target weights", "`" + origin.baseFingerprint() + "`");
        }
        facts.put("start", origin.method());
        facts.put("rank", Integer.toString(config.getRank()));
        facts.put(
                "alpha",
                number(config.getAlpha()) + (config.isRankStabilized() ? ", rank-stabilized" : ""));
        facts.put("adapted layers", config.getTargets().toString());
        if (origin.taskType() != null) {
            facts.put("task", origin.taskType());
        }
        return facts;
    }

    private String java() {
        String indent = "                ";
        String elsewhere =
                HubId.isHubId(base)
                        ? indent + ".optModelUrls(\"hf://" + HubId.parse(base) + "\")\n"
                        : indent
                                + "// the folder of "
                                + base
                                + "\n"
                                + indent
                                + ".optModelZoo(HuggingFaceFolder.zoo(Path.of(\"BASE_MODEL\")))\n";
        String where =
                LoraModelZoo.findBase(base)
                        .map(
                                id ->
                                        indent
                                                + ".optGroupId(\"io.github.loradjl\")\n"
                                                + indent
                                                + ".optArtifactId(\""
                                                + id
                                                + "\")\n")
                        .orElse(elsewhere);
        return "Criteria<String, String> criteria =\n"
                + "        Criteria.builder()\n"
                + "                .setTypes(String.class, String.class)\n"
                + where
                + "                .optArgument(\"adapter\", \"THIS_FOLDER\")\n"
                + "                .build();\n"
                + "try (ZooModel<String, String> model = criteria.loadModel();\n"
                + "        Predictor<String, String> predictor = model.newPredictor()) {\n"
                + "    System.out.println(predictor.predict(\"Once upon a time\"));\n"
                + "}\n";
    }

    private String python() {
        String auto = isEncoderDecoder() ? "AutoModelForSeq2SeqLM" : "AutoModelForCausalLM";
        String name = '"' + base + '"';
        return "from peft import PeftModel\n"
                + "from transformers import AutoTokenizer, "
                + auto
                + "\n\n"
                + "tokenizer = AutoTokenizer.from_pretrained("
                + name
                + ")\n"
                + "model = "
                + auto
                + ".from_pretrained("
                + name
                + ")\n"
                + "model = PeftModel.from_pretrained(model, \"THIS_FOLDER\")\n"
                + "inputs = tokenizer(\"Once upon a time\", return_tensors=\"pt\")\n"
                + "print(tokenizer.decode(model.generate(**inputs)[0]))\n";
    }

    /** Builds a {@link ModelCard}. */
    public static final class Builder {

        private final Map<String, Double> metrics = new LinkedHashMap<>();
        private final Map<String, String> settings = new LinkedHashMap<>();
        private List<String> data = List.of();
        private Path adapter;
        private String name;
        private String base;
        private String license;
        private String description;

        private Builder() {}

        /**
         * Sets the adapter's folder.
         *
         * @param folder a folder in PEFT's format
         * @return this builder
         */
        public Builder setAdapter(Path folder) {
            adapter = folder;
            return this;
        }

        /**
         * Sets the adapter's name.
         *
         * @param title the title of the card
         * @return this builder
         */
        public Builder setName(String title) {
            name = title;
            return this;
        }

        /**
         * Sets the base model; by default the one that the adapter's files name.
         *
         * @param id its name on the Hugging Face hub
         * @return this builder
         */
        public Builder optBase(String id) {
            base = id;
            return this;
        }

        /**
         * Sets the licence, none by default.
         *
         * @param id its id, such as {@code apache-2.0}
         * @return this builder
         */
        public Builder optLicense(String id) {
            license = id;
            return this;
        }

        /**
         * Sets what the adapter does, that it is one by default.
         *
         * @param sentences one or some sentences
         * @return this builder
         */
        public Builder optDescription(String sentences) {
            description = sentences;
            return this;
        }

        /**
         * Sets numbers that describe how good it is, none by default.
         *
         * @param values numbers by name; those that are not finite are left out
         * @return this builder
         */
        public Builder optMetrics(Map<String, Double> values) {
            values.forEach(
                    (key, value) -> {
                        if (Double.isFinite(value)) {
                            metrics.put(key, value);
                        }
                    });
            return this;
        }

        /**
         * Sets what it was trained on, nothing by default.
         *
         * @param names names of data sets or files
         * @return this builder
         */
        public Builder optTrainingData(List<String> names) {
            data = List.copyOf(names);
            return this;
        }

        /**
         * Sets how it was trained, nothing by default.
         *
         * @param values settings by name, such as the learning rate
         * @return this builder
         */
        public Builder optSettings(Map<String, String> values) {
            settings.putAll(values);
            return this;
        }

        /**
         * Reads the adapter's files and builds the card.
         *
         * @return the card
         * @throws IllegalArgumentException if the adapter or its name is not given, or its base is
         *     none that others know
         * @throws IOException if the adapter cannot be read
         */
        public ModelCard build() throws IOException {
            return new ModelCard(this);
        }
    }
}
