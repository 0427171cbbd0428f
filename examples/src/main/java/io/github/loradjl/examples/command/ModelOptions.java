package io.github.loradjl.examples.command;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.TinyStoryT5;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.hub.HubId;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Which model a command works on, and where. */
final class ModelOptions {

    private static final Map<String, Shipped> SHIPPED =
            new TreeMap<>(
                    Map.of(
                            TinyStoryLlama.NAME,
                            TinyStoryLlama::folder,
                            TinyStoryT5.NAME,
                            TinyStoryT5::folder));

    @Option(
            names = "--model",
            paramLabel = "DIR",
            defaultValue = TinyStoryLlama.NAME,
            description =
                    "Hugging Face folder, or a model of the Hugging Face hub by its name"
                            + " (owner/name, or owner/name@revision), or one of the small models"
                            + " that ship: "
                            + TinyStoryLlama.NAME
                            + " or "
                            + TinyStoryT5.NAME
                            + " (default: ${DEFAULT-VALUE}).")
    private Path model;

    // Looked up once, so that a command works on one revision.
    private Path folder;

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            defaultValue = "float32",
            description = "float32 or bfloat16 (default: ${DEFAULT-VALUE}).")
    private Type dtype;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "cpu",
            description = "cpu, gpu or gpu1 and so on (default: ${DEFAULT-VALUE}).")
    private String device;

    /** The types in which a model can be computed. */
    enum Type {
        float32(DataType.FLOAT32),
        bfloat16(DataType.BFLOAT16);

        private final DataType dataType;

        Type(DataType dataType) {
            this.dataType = dataType;
        }
    }

    /** Where a model that ships is unpacked. */
    @FunctionalInterface
    private interface Shipped {
        Path folder() throws IOException;
    }

    /** Tells whether a model that ships is used. */
    boolean isShipped() {
        return SHIPPED.containsKey(model.toString()) && !Files.exists(model);
    }

    /** Returns the name by which others know the model. */
    String name() {
        return HubModel.id(model)
                .map(HubId::getRepository)
                .orElse(model.toAbsolutePath().normalize().getFileName().toString());
    }

    Path folder() throws IOException {
        if (folder == null) {
            folder = find();
        }
        if (!Files.isDirectory(folder)) {
            throw new IOException(
                    "--model "
                            + model
                            + " is neither a folder nor one of the models that ship: "
                            + String.join(", ", SHIPPED.keySet())
                            + "; a model of the Hugging Face hub is written owner/name");
        }
        return folder;
    }

    private Path find() throws IOException {
        if (isShipped()) {
            return SHIPPED.get(model.toString()).folder();
        }
        Optional<HubId> id = HubModel.id(model);
        return id.isPresent() ? HubModel.fetch(id.get()) : model;
    }

    /**
     * Fixes the commit of a model of the hub, so that what is written down of a run tells which it
     * was.
     *
     * @param recorded the model that an earlier run has written down, or null; where it is a commit
     *     of the same repository, and this command names none, that one is taken
     * @param err is told which one that is
     */
    void pin(String recorded, PrintStream err) throws IOException {
        Optional<HubId> id = HubModel.id(model);
        if (id.isEmpty()) {
            return;
        }
        Optional<HubId> before = recorded == null ? Optional.empty() : HubModel.id(recorded);
        boolean isRecorded =
                before.isPresent()
                        && before.get().isCommit()
                        && before.get().getRepository().equals(id.get().getRepository());
        if (isRecorded && !id.get().isCommit()) {
            model = Path.of(before.get().toString());
            err.println("going on with " + before.get() + ", as the run began");
        } else {
            String commit = folder().getFileName().toString();
            model = Path.of(id.get().withRevision(commit).toString());
        }
    }

    /** Returns the commit of a model of the hub, once it is fixed; null for another model. */
    String revision() {
        return HubModel.id(model).filter(HubId::isCommit).map(HubId::getRevision).orElse(null);
    }

    /** Tells whether the model reads with an encoder and writes with a decoder. */
    boolean isEncoderDecoder() throws IOException {
        return HuggingFaceFolder.isEncoderDecoder(folder());
    }

    /**
     * Returns the model's own chat template, or null if it has none. One that is not understood is
     * told and left out: only rows with messages need it.
     */
    ChatTemplate chatTemplate(PrintStream err) throws IOException {
        if (!hasChatTemplate(folder())) {
            return null;
        }
        try {
            return ChatTemplate.load(folder());
        } catch (IOException e) {
            err.println("the model's chat template cannot be used: " + e.getMessage());
            return null;
        }
    }

    private static boolean hasChatTemplate(Path folder) throws IOException {
        if (Files.exists(folder.resolve("chat_template.jinja"))) {
            return true;
        }
        Path config = folder.resolve("tokenizer_config.json");
        if (!Files.exists(config)) {
            return false;
        }
        try (Reader reader = Files.newBufferedReader(config)) {
            JsonElement json = JsonParser.parseReader(reader);
            return json.isJsonObject()
                    && json.getAsJsonObject().has("chat_template")
                    && !json.getAsJsonObject().get("chat_template").isJsonNull();
        } catch (JsonParseException e) {
            throw new IOException(config + " is not JSON: " + e.getMessage(), e);
        }
    }

    ZooModel<NDList, NDList> load() throws IOException, MalformedModelException {
        return HuggingFaceFolder.load(folder(), device(), dtype.dataType);
    }

    /** Loads a copy in float32 whose own parameters can be trained. */
    ZooModel<NDList, NDList> loadTrainable() throws IOException, MalformedModelException {
        try {
            return Criteria.builder()
                    .setTypes(NDList.class, NDList.class)
                    .optModelZoo(HuggingFaceFolder.zoo(folder()))
                    .optDevice(device())
                    .optOption("trainParam", "true")
                    .build()
                    .loadModel();
        } catch (ModelNotFoundException e) {
            throw new MalformedModelException(e.getMessage(), e);
        }
    }

    Device device() {
        Device chosen;
        try {
            chosen = Device.fromName(device);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "--device " + device + " is not known: use cpu, gpu or gpu1 and so on", e);
        }
        if (chosen.isGpu() && Engine.getInstance().getGpuCount() <= chosen.getDeviceId()) {
            throw new IllegalArgumentException(
                    "--device "
                            + device
                            + ": PyTorch sees "
                            + Engine.getInstance().getGpuCount()
                            + " GPUs; run with LORA_CUDA=1 for its CUDA build, or use cpu");
        }
        return chosen;
    }

    /** Returns a few words on how the model is computed. */
    String describe() {
        return dtype.name() + " on " + device;
    }
}
