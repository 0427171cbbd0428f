package io.github.loradjl.peft;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

import com.google.gson.JsonObject;
import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.safetensors.SafetensorsWriter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The files of one adapter.
 *
 * <p>Beside PEFT's two stands {@code lora_djl.json}: the fingerprint of the base, the start, and,
 * where the tensors are those of a difference, the configuration that takes them apart again. An
 * adapter without it is an ordinary one.
 *
 * @param path the folder
 * @param config what PEFT's file says about the tensors
 * @param ownConfig the configuration of the adapter itself, null where it is {@code config}
 * @param origin where the adapter comes from
 */
record AdapterFolder(Path path, LoraConfig config, LoraConfig ownConfig, AdapterOrigin origin) {

    static final String CONFIG = "adapter_config.json";
    static final String TENSORS = "adapter_model.safetensors";
    static final String SIDE = "lora_djl.json";
    private static final int SIDE_VERSION = 1;

    boolean isDifference() {
        return ownConfig != null;
    }

    static AdapterFolder read(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            throw new NoSuchFileException(path.toString(), null, "is not an adapter folder");
        }
        Path configFile = path.resolve(CONFIG);
        JsonObject json = JsonReading.parse(configFile);
        LoraConfig config = PeftConfigJson.read(json, configFile);
        JsonReading peft = new JsonReading(json, configFile);
        if (!Files.exists(path.resolve(TENSORS))) {
            Path pickle = path.resolve("adapter_model.bin");
            if (Files.exists(pickle)) {
                throw new IOException(
                        pickle
                                + " is not read: a pickle can run any code on loading; load the"
                                + " adapter in PEFT and save it with safe_serialization");
            }
            throw new NoSuchFileException(
                    path.resolve(TENSORS).toString(),
                    null,
                    "is missing; an adapter folder must hold it");
        }
        Path sideFile = path.resolve(SIDE);
        if (!Files.exists(sideFile)) {
            return new AdapterFolder(path, config, null, origin(peft, "true", null));
        }
        JsonObject side = JsonReading.parse(sideFile);
        JsonReading in = new JsonReading(side, sideFile);
        if (in.integer("version", 0) != SIDE_VERSION) {
            throw in.error("has version " + side.get("version") + "; this library reads 1 only");
        }
        LoraConfig own = null;
        String method = in.text("init", "true");
        LoraInit init = init(method);
        long seed = seed(in);
        if (in.flag("difference")) {
            if (!side.has("config") || !side.get("config").isJsonObject()) {
                throw in.error("says that the adapter is a difference but has no config");
            }
            own =
                    PeftConfigJson.read(side.getAsJsonObject("config"), sideFile).toBuilder()
                            .optInit(init)
                            .optSeed(seed)
                            .build();
        } else if (!init.needsGradient() && !init.subtractsProduct()) {
            config = config.toBuilder().optInit(init).optSeed(seed).build();
        }
        AdapterOrigin origin = origin(peft, method, in.text("base_sha256", null));
        return new AdapterFolder(path, config, own, origin);
    }

    private static AdapterOrigin origin(JsonReading peft, String method, String fingerprint)
            throws IOException {
        return new AdapterOrigin(
                "true".equals(method) ? "lora" : method,
                peft.text("task_type", null),
                peft.text("base_model_name_or_path", null),
                peft.text("revision", null),
                fingerprint);
    }

    private static long seed(JsonReading in) throws IOException {
        String text = in.text("seed", "42");
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw in.error("has seed " + text + "; it must be a whole number in quotes");
        }
    }

    private static LoraInit init(String name) {
        try {
            return LoraInit.named(name);
        } catch (IllegalArgumentException e) {
            // A user's own start; the factors are in the file, so its name is not needed.
            return LoraInit.kaimingUniform();
        }
    }

    /** Writes all files beside the folder, then puts them in place, the configuration last. */
    static void write(Path path, LoraModel lora, String name, SaveOptions options)
            throws IOException {
        AdapterExport export = new AdapterExport(lora, name, options);
        Path folder = path.toAbsolutePath();
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new IOException(folder + " is a file; give a folder for the adapter");
        }
        boolean fresh = !Files.exists(folder);
        Files.createDirectories(fresh ? folder.getParent() : folder);
        String hidden = "." + folder.getFileName() + "." + UUID.randomUUID();
        Path beside = fresh ? folder.resolveSibling(hidden) : folder.resolve(hidden);
        try {
            Files.createDirectory(beside);
            try (NDManager scope = lora.getManager().newSubManager()) {
                Map<String, NDArray> tensors = export.tensors(scope);
                SafetensorsWriter.write(
                        beside.resolve(TENSORS),
                        tensors,
                        SafetensorsWriter.PYTORCH,
                        options.getFloatType());
            }
            AtomicFile.writeString(
                    beside.resolve(SIDE),
                    PeftConfigJson.toString(side(export, lora, name, options)));
            AtomicFile.writeString(
                    beside.resolve(CONFIG),
                    PeftConfigJson.toString(PeftConfigJson.write(export.savedConfig(), options)));
            if (fresh) {
                Files.move(beside, folder, StandardCopyOption.ATOMIC_MOVE);
            } else {
                // Without its configuration the folder cannot be loaded, so nobody sees it mixed.
                Files.deleteIfExists(folder.resolve(CONFIG));
                for (String file : List.of(TENSORS, SIDE, CONFIG)) {
                    Files.move(
                            beside.resolve(file),
                            folder.resolve(file),
                            StandardCopyOption.ATOMIC_MOVE);
                }
            }
        } finally {
            deleteFolder(beside);
        }
    }

    private static JsonObject side(
            AdapterExport export, LoraModel lora, String name, SaveOptions options) {
        LoraConfig config = lora.getConfig(name);
        JsonObject side = new JsonObject();
        side.addProperty("version", SIDE_VERSION);
        side.addProperty("base_sha256", export.baseFingerprint());
        side.addProperty("init", config.getInit().getName());
        // As text, because JSON readers round large numbers.
        side.addProperty("seed", Long.toString(config.getSeed()));
        side.addProperty("difference", export.isDifference());
        if (export.isDifference()) {
            side.add("config", PeftConfigJson.write(export.ownConfig(), options));
        }
        return side;
    }

    private static void deleteFolder(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
