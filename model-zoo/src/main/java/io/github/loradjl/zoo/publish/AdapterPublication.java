package io.github.loradjl.zoo.publish;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.peft.AdapterOrigin;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.safetensors.SafetensorsFile;
import io.github.loradjl.zoo.LoraModelZoo;
import io.github.loradjl.zoo.repository.AdapterArchive;
import io.github.loradjl.zoo.repository.AdapterEntry;
import io.github.loradjl.zoo.repository.Json;
import io.github.loradjl.zoo.repository.RepositoryLayout;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * An adapter that is ready to be published: its files, its name and version, its licence and what
 * its training left.
 *
 * <pre>{@code
 * AdapterPublication.builder()
 *         .setAdapter(Path.of("lora-out/adapter"))
 *         .setName("story-answers")
 *         .setVersion("0.0.1")
 *         .optLicense("apache-2.0")
 *         .build()
 *         .publish(Path.of("repository"));
 * }</pre>
 */
public final class AdapterPublication {

    private static final String CARD = "README.md";

    private final String groupId;
    private final String name;
    private final String version;
    private final String description;
    private final String license;
    private final AdapterOrigin origin;
    private final String base;
    private final String revision;
    private final LoraConfig config;
    private final Map<String, Double> metrics;
    private final Map<String, Path> files;

    private AdapterPublication(Builder builder) throws IOException {
        groupId = builder.groupId;
        name = required(builder.name, "a name", "setName");
        version = required(builder.version, "a version", "setVersion");
        if (!RepositoryLayout.isGroup(groupId)) {
            throw new IllegalArgumentException(
                    "group "
                            + groupId
                            + " must be names with dots between them, such as com.example");
        }
        for (String text : List.of(name, version)) {
            if (!RepositoryLayout.isName(text)) {
                throw new IllegalArgumentException(
                        "'"
                                + text
                                + "' cannot be published as a name or version: it takes letters,"
                                + " digits, dots and hyphens, and begins with a letter or digit");
            }
        }
        if (builder.adapter == null) {
            throw new IllegalArgumentException("give the folder of the adapter by setAdapter");
        }
        config = PeftAdapter.readConfig(builder.adapter);
        origin = PeftAdapter.readOrigin(builder.adapter);
        // Reads the header, so that a damaged file is not published.
        SafetensorsFile.open(builder.adapter.resolve("adapter_model.safetensors")).close();
        Map<String, String> card = FrontMatter.read(builder.adapter.resolve(CARD));
        license = first(builder.license, card.get("license"));
        if (license == null || !RepositoryLayout.isName(license)) {
            throw new IllegalArgumentException(
                    "an adapter is published under a licence, "
                            + (license == null ? "and none is given" : "and '" + license + "'")
                            + (license == null ? "" : " is not the id of one")
                            + ": name one such as apache-2.0, here or in the adapter's README.md");
        }
        base =
                BaseName.check(
                        builder.adapter,
                        first(builder.base, origin.baseModel(), card.get("base_model")));
        revision = first(builder.revision, origin.baseRevision());
        description = builder.description;
        if (description != null && !Json.isLine(description)) {
            throw new IllegalArgumentException(
                    "the description takes one line of up to 2000 characters");
        }
        metrics = new TreeMap<>(builder.metrics);
        files = files(builder.adapter);
    }

    private static String required(String value, String what, String setter) {
        if (value == null) {
            throw new IllegalArgumentException(
                    "an adapter is published with " + what + ": give it by " + setter);
        }
        return value;
    }

    private static String first(String... values) {
        for (String value : values) {
            if (value != null && !value.isBlank()) {
                return value.strip();
            }
        }
        return null;
    }

    private static Map<String, Path> files(Path folder) throws IOException {
        Map<String, Path> files = new TreeMap<>();
        try (Stream<Path> list = Files.list(folder)) {
            list.filter(Files::isRegularFile)
                    .filter(file -> AdapterArchive.isTaken(file.getFileName().toString()))
                    .forEach(file -> files.put(file.getFileName().toString(), file));
        }
        return files;
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
     * Adds this version to a repository: the archive with its sums, {@code metadata.json} merged
     * with what is there, and the list of all metadata files, which web servers need. The folder
     * can be copied anywhere; equal files give equal bytes.
     *
     * @param repository the folder; made if it is missing
     * @return the published version
     * @throws IllegalStateException if the version is there already
     * @throws IOException if reading or writing fails, or what is there is damaged
     */
    public AdapterEntry publish(Path repository) throws IOException {
        return new FolderRepository(repository).add(this);
    }

    /**
     * Writes a jar for any Maven repository, which is a repository of this version alone: on a
     * program's class path it is found without a further call. Equal files give equal bytes; {@code
     * mvn deploy:deploy-file -Dfile=JAR} finds the POM in it.
     *
     * @param jar the file to write
     * @return the published version
     * @throws IllegalStateException if the file is there already
     * @throws IOException if reading or writing fails
     */
    public AdapterEntry publishJar(Path jar) throws IOException {
        return AdapterJar.write(this, jar);
    }

    String groupId() {
        return groupId;
    }

    String name() {
        return name;
    }

    String version() {
        return version;
    }

    String description() {
        return description;
    }

    String license() {
        return license;
    }

    String base() {
        return base;
    }

    String revision() {
        return revision;
    }

    String baseFingerprint() {
        return origin.baseFingerprint();
    }

    Map<String, Double> metrics() {
        return metrics;
    }

    Map<String, Path> files() {
        return files;
    }

    /** Returns what filters select by. */
    Map<String, String> properties() {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("base", base);
        properties.put("method", origin.method());
        properties.put("rank", Integer.toString(config.getRank()));
        if (origin.taskType() != null) {
            properties.put("task", origin.taskType());
        }
        return properties;
    }

    /** Builds an {@link AdapterPublication}. */
    public static final class Builder {

        private final Map<String, Double> metrics = new TreeMap<>();
        private Path adapter;
        private String groupId = LoraModelZoo.GROUP_ID;
        private String name;
        private String version;
        private String license;
        private String base;
        private String revision;
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
         * Sets the name, the artifact id.
         *
         * @param artifactId letters, digits, dots and hyphens
         * @return this builder
         */
        public Builder setName(String artifactId) {
            name = artifactId;
            return this;
        }

        /**
         * Sets the version, which cannot be published twice.
         *
         * @param text the version, such as {@code 0.0.1}
         * @return this builder
         */
        public Builder setVersion(String text) {
            version = text;
            return this;
        }

        /**
         * Sets who publishes it, {@value LoraModelZoo#GROUP_ID} by default.
         *
         * @param group a group id, such as {@code com.example}
         * @return this builder
         */
        public Builder optGroupId(String group) {
            groupId = group;
            return this;
        }

        /**
         * Sets the licence; by default the one that the adapter's {@code README.md} names.
         *
         * @param id its id, such as {@code apache-2.0}
         * @return this builder
         */
        public Builder optLicense(String id) {
            license = id;
            return this;
        }

        /**
         * Sets the base model; by default the one that the adapter's files name.
         *
         * @param id its name in the zoo or on the Hugging Face hub
         * @return this builder
         */
        public Builder optBase(String id) {
            base = id;
            return this;
        }

        /**
         * Sets the revision of the base model; by default the one that the adapter's files name.
         *
         * @param commit the revision
         * @return this builder
         */
        public Builder optBaseRevision(String commit) {
            revision = commit;
            return this;
        }

        /**
         * Sets what the adapter does, none by default.
         *
         * @param sentence one sentence
         * @return this builder
         */
        public Builder optDescription(String sentence) {
            description = sentence;
            return this;
        }

        /**
         * Sets numbers that describe how good it is, none by default.
         *
         * @param values finite numbers by name
         * @return this builder
         */
        public Builder optMetrics(Map<String, Double> values) {
            values.forEach(
                    (key, value) -> {
                        if (!Double.isFinite(value)) {
                            throw new IllegalArgumentException(
                                    "metric " + key + " is " + value + "; leave it out");
                        }
                    });
            metrics.putAll(values);
            return this;
        }

        /**
         * Reads the adapter's files and builds the publication.
         *
         * @return the publication
         * @throws IllegalArgumentException if a name, the version, the licence or the base model is
         *     missing or malformed
         * @throws IOException if the adapter cannot be read
         */
        public AdapterPublication build() throws IOException {
            return new AdapterPublication(this);
        }
    }
}
