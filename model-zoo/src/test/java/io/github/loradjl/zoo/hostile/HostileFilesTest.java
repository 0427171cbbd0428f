package io.github.loradjl.zoo.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.util.Utils;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.TinyStoryT5;
import io.github.loradjl.zoo.TrainedAdapter;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.publish.AdapterPublication;
import io.github.loradjl.zoo.repository.AdapterArchive;
import io.github.loradjl.zoo.repository.AdapterEntry;
import io.github.loradjl.zoo.repository.AdapterRepository;
import io.github.loradjl.zoo.repository.Digests;
import io.github.loradjl.zoo.repository.RepositoryLayout;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Damaged and hostile files of every format, some 1,600 in all: each gives a clear error or does no
 * harm. What is damaged is drawn from a seed, so a failure repeats.
 */
class HostileFilesTest {

    private static final int MIN_KINDS = 20;

    @TempDir private static Path root;
    private static Path adapter;
    private static Path repository;
    private static Path metadata;
    private static Path archive;
    private static ZooModel<NDList, NDList> model;
    private static LoraModel lora;

    /** What is done with a damaged file. */
    @FunctionalInterface
    private interface Use {
        void run() throws Exception;
    }

    @BeforeAll
    static void publish() throws Exception {
        adapter = TrainedAdapter.train(root.resolve("adapter"), LoraInit.loraGa(), 2).folder();
        model = HuggingFaceFolder.load(TinyStoryLlama.folder(), Device.cpu(), DataType.FLOAT32);
        lora = LoraModel.attach(model);
        // What is fetched must not leave this folder, and not fill the machine's cache.
        System.setProperty("ENGINE_CACHE_DIR", Utils.getEngineCacheDir().toString());
        System.setProperty("DJL_CACHE_DIR", root.resolve("cache").toString());
        Files.writeString(adapter.resolve("README.md"), "---\nlicense: mit\n---\n# Card\n");
        repository = root.resolve("repository");
        AdapterEntry entry =
                AdapterPublication.builder()
                        .setAdapter(adapter)
                        .setName("answers")
                        .setVersion("0.0.1")
                        .build()
                        .publish(repository);
        archive = repository.resolve(entry.archive().path());
        metadata = archive.getParent().getParent().resolve("metadata.json");
        Files.createDirectories(root.resolve("cache"));
    }

    @AfterAll
    static void close() {
        System.clearProperty("DJL_CACHE_DIR");
        System.clearProperty("ENGINE_CACHE_DIR");
        lora.close();
        model.close();
    }

    /** Opens the repository, fetches what it holds and loads it. */
    private static void fetchAndLoad() throws Exception {
        AdapterRepository opened = AdapterRepository.open(repository);
        for (AdapterEntry entry : opened.getEntries()) {
            load(opened.fetch(entry));
        }
        for (String problem : opened.getProblems()) {
            throw new IOException(problem);
        }
    }

    private static void load(Path folder) throws IOException {
        PeftAdapter.load(lora, folder, "hostile");
        lora.removeAdapter("hostile");
    }

    @Test
    void metadata_damaged_isAClearErrorOrHarmless() throws Exception {
        assertHarmless("metadata", metadata, JsonDamage.all(), 200, HostileFilesTest::fetchAndLoad);
    }

    @Test
    void index_damaged_isAClearErrorOrHarmless() throws Exception {
        Path jar = root.resolve("index.jar");
        Path index = repository.resolve("lora-index.json");
        assertHarmless(
                "index",
                index,
                JsonDamage.all(),
                100,
                () -> {
                    String described = repository.relativize(metadata).toString();
                    Map<String, Path> entries =
                            Map.of(
                                    RepositoryLayout.JAR_ROOT + RepositoryLayout.INDEX,
                                    index,
                                    RepositoryLayout.JAR_ROOT + described.replace('\\', '/'),
                                    metadata);
                    AdapterArchive.write(entries, jar);
                    try {
                        for (String problem : AdapterRepository.open(jar).getProblems()) {
                            throw new IOException(problem);
                        }
                    } finally {
                        Files.delete(jar);
                    }
                });
    }

    @Test
    void archive_damaged_isAClearErrorOrHarmless() throws Exception {
        byte[] before = Files.readAllBytes(metadata);
        assertHarmless(
                "archive",
                archive,
                ArchiveDamage.all(),
                200,
                () -> {
                    try {
                        // A hostile author has the right sums.
                        vouch();
                        fetchAndLoad();
                    } finally {
                        Files.write(metadata, before);
                    }
                });
    }

    private static void vouch() throws IOException {
        JsonObject json = JsonParser.parseString(Files.readString(metadata)).getAsJsonObject();
        JsonObject file =
                json.getAsJsonArray("artifacts")
                        .get(0)
                        .getAsJsonObject()
                        .getAsJsonObject("files")
                        .getAsJsonObject("adapter");
        file.addProperty("size", Files.size(archive));
        file.addProperty("sha1Hash", Digests.sha1(archive));
        file.addProperty("sha256Hash", Digests.sha256(archive));
        Files.writeString(metadata, json.toString());
    }

    @Test
    void archive_damagedAfterPublishing_isRefused() throws Exception {
        assertHarmless(
                "archive without sums",
                archive,
                TextDamage.all(),
                60,
                () -> {
                    AdapterRepository opened = AdapterRepository.open(repository);
                    opened.verify(opened.getEntries().get(0));
                });
    }

    @Test
    void configurations_damaged_areClearErrorsOrHarmless() throws Exception {
        Use use = () -> load(adapter);
        Path config = adapter.resolve("adapter_config.json");
        assertHarmless("adapter_config", config, JsonDamage.all(), 150, use);
        Path side = adapter.resolve("lora_djl.json");
        assertHarmless("lora_djl", side, JsonDamage.all(), 100, use);
    }

    @Test
    void baseConfigurations_damaged_areClearErrorsOrHarmless() throws Exception {
        damageBase(TinyStoryLlama.folder(), "llama");
        damageBase(TinyStoryT5.folder(), "t5");
    }

    private static void damageBase(Path model, String kind) throws Exception {
        Path base = Files.createDirectory(root.resolve(kind));
        try (Stream<Path> files = Files.list(model)) {
            for (Path file : files.toList()) {
                Files.copy(file, base.resolve(file.getFileName()));
            }
        }
        Criteria<String, String> criteria =
                Criteria.builder()
                        .setTypes(String.class, String.class)
                        .optModelZoo(HuggingFaceFolder.zoo(base))
                        .build();
        for (String name :
                new String[] {
                    "config.json",
                    "generation_config.json",
                    "tokenizer_config.json",
                    "tokenizer.json"
                }) {
            int count = name.equals("config.json") ? 100 : 50;
            assertHarmless(
                    kind + ", " + name,
                    base.resolve(name),
                    JsonDamage.all(),
                    count,
                    () -> criteria.loadModel().close());
        }
    }

    @Test
    void adapters_damaged_areClearErrorsOrHarmless() throws Exception {
        Path weights = adapter.resolve("adapter_model.safetensors");
        assertHarmless("weights", weights, SafetensorsDamage.all(), 200, () -> load(adapter));
    }

    @Test
    void cards_damaged_areClearErrorsOrHarmless() throws Exception {
        Map<String, Damage> kinds = TextDamage.all();
        for (String value :
                new String[] {
                    "", "[a, b]", "!!java.lang.Object", "'", "\"", "../..", "a: b", "&x"
                }) {
            kinds.put(
                    "licence " + value,
                    (file, random) -> ("---\nlicense: " + value + "\n---\n").getBytes());
        }
        kinds.put("no end", (file, random) -> "---\nlicense: mit\n".getBytes());
        kinds.put("no head", (file, random) -> "# Card\n".getBytes());
        kinds.put("long", (file, random) -> ("---\n" + "a: b\n".repeat(500_000)).getBytes());
        assertHarmless(
                "card",
                adapter.resolve("README.md"),
                kinds,
                100,
                () ->
                        AdapterPublication.builder()
                                .setAdapter(adapter)
                                .setName("answers")
                                .setVersion("0.0.2")
                                .build());
    }

    /** Damages a file again and again, uses it each time, and puts it back. */
    private static void assertHarmless(
            String what, Path file, Map<String, Damage> kinds, int count, Use use)
            throws Exception {
        assertThat(kinds).hasSizeGreaterThanOrEqualTo(what.contains("sums") ? 10 : MIN_KINDS);
        byte[] whole = Files.readAllBytes(file);
        use.run();
        List<String> names = List.copyOf(kinds.keySet());
        Random random = new Random(what.hashCode());
        List<String> failures = new ArrayList<>();
        int errors = 0;
        TreeSet<String> before = files();
        for (int i = 0; i < count; i++) {
            String name = names.get(i % names.size());
            Files.write(file, kinds.get(name).apply(whole, random));
            String failure = failure(use);
            errors += "clear".equals(failure) ? 1 : 0;
            if (failure != null && !"clear".equals(failure)) {
                failures.add(what + ", " + name + ": " + failure);
            }
        }
        Files.write(file, whole);
        assertThat(failures).isEmpty();
        // Some damage does no harm, such as a card without a setting; most must be seen.
        assertThat(errors).isGreaterThan(count / 4);
        assertThat(files()).isEqualTo(before);
        assertThat(Path.of("/tmp/lora-evil.json")).doesNotExist();
        assertThat(Path.of("/tmp/lora-evil.zip")).doesNotExist();
        assertThat(System.getProperty(EvilFactory.TRACE)).isNull();
    }

    /** Lists everything but the unpacked adapters, which stand under their sums. */
    private static TreeSet<String> files() throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            TreeSet<String> names = new TreeSet<>();
            files.map(f -> root.relativize(f).toString().replace('\\', '/'))
                    .filter(f -> !f.matches("cache/cache/lora-djl/adapters/[0-9a-f]{64}(/[^/]+)?"))
                    .filter(f -> !f.matches("cache(/cache(/lora-djl(/adapters)?)?)?"))
                    .forEach(names::add);
            return names;
        }
    }

    /** Returns null after success, "clear" after a clear error, else what is wrong with it. */
    private static String failure(Use use) {
        try {
            use.run();
            return null;
        } catch (Throwable e) {
            boolean isExpected =
                    e instanceof IOException && !(e instanceof CharacterCodingException)
                            || e instanceof MalformedModelException
                            || e.getClass() == IllegalArgumentException.class
                            || e.getClass() == IllegalStateException.class;
            boolean isClear = e.getMessage() != null && e.getMessage().length() > 20;
            if (isExpected && isClear && !(e instanceof UncheckedIOException)) {
                return "clear";
            }
            return e + place(e);
        }
    }

    private static String place(Throwable e) {
        return Stream.of(e.getStackTrace())
                .filter(f -> f.getClassName().startsWith("io.github.loradjl"))
                .findFirst()
                .map(f -> " at " + f)
                .orElse("");
    }
}
