package io.github.loradjl.zoo.checkpoint;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ModelZoo;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.djl.util.Progress;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.safetensors.Safetensors;
import io.github.loradjl.safetensors.SafetensorsWriter;
import io.github.loradjl.zoo.block.ConfigReader;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.block.StagedModel;
import io.github.loradjl.zoo.llama.LlamaConfig;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;
import io.github.loradjl.zoo.t5.T5Config;
import io.github.loradjl.zoo.t5.T5EncoderClassifier;
import io.github.loradjl.zoo.t5.T5ForConditionalGeneration;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Hugging Face folders: {@code config.json} with weights in safetensors, in one file or in shards.
 *
 * <p>On the CPU, weights stored in float32 are mapped from the file and cost no memory of their
 * own. They are read-only: a loaded model is frozen, adapters are trained beside it. The option
 * {@code trainParam}, as DJL calls it, loads private copies that can be trained themselves.
 *
 * <pre>
 * Criteria.builder()
 *         .setTypes(NDList.class, NDList.class)
 *         .optModelZoo(HuggingFaceFolder.zoo(folder))
 *         .optOption("dtype", "bfloat16") // float32 unless given
 *         .build()
 *         .loadModel();
 * </pre>
 */
public final class HuggingFaceFolder {

    private static final String WEIGHTS = "model.safetensors";
    private static final List<String> COMPANIONS =
            List.of(
                    "generation_config.json",
                    "tokenizer.json",
                    "tokenizer_config.json",
                    "special_tokens_map.json",
                    "added_tokens.json",
                    "chat_template.jinja",
                    "tokenizer.model",
                    "vocab.json",
                    "merges.txt");

    private HuggingFaceFolder() {}

    /**
     * Offers one folder as a model zoo, for {@code Criteria.optModelZoo}.
     *
     * <p>Options (or arguments) of the criteria: {@code dtype}, {@code float32} or {@code
     * bfloat16}, float32 by default; {@code device}, such as {@code cpu} or {@code gpu0}, where
     * {@code optDevice} is not used; {@code trainParam}, false by default. The argument {@code
     * adapter} names one or several adapters to load with the model, see {@link AdapterArgument};
     * {@code forceAdapter} takes one that was trained on another base. With the types String and
     * String the model continues a text, or answers it where an encoder reads it; see {@link
     * io.github.loradjl.zoo.text.generate.TextZooModel#config} and {@link
     * io.github.loradjl.zoo.text.generate.TextZooModel#maxLength} for its arguments.
     *
     * @param folder the folder
     * @return a zoo that holds this model only
     */
    public static ModelZoo zoo(Path folder) {
        return new FolderZoo(folder);
    }

    /**
     * Loads a model, frozen.
     *
     * @param folder the folder
     * @param device where to put the weights; null for DJL's default
     * @param dataType FLOAT32, or BFLOAT16 to keep weights stored in bfloat16 as they are
     * @return the model
     * @throws IOException if a file is missing, truncated or of a type that cannot be read
     * @throws MalformedModelException if tensors are missing, left over or of another shape
     * @throws IllegalArgumentException if the configuration is incomplete or not supported
     */
    public static ZooModel<NDList, NDList> load(Path folder, Device device, DataType dataType)
            throws IOException, MalformedModelException {
        return new ZooModel<>(
                load(folder, name(folder), device, dataType, false, null), new NoopTranslator());
    }

    /**
     * Loads a model, and the adapters of its argument {@code adapter}, as a criteria asks; see
     * {@link #zoo} for its options and arguments.
     *
     * @param <I> the type of the input
     * @param <O> the type of the output
     * @param folder the folder
     * @param name the name of the model unless the criteria gives one
     * @param criteria what to load; where to find it is not looked at
     * @param finder finds adapters that are named by an id
     * @return the model; with adapters, {@link io.github.loradjl.LoraModel#of} has them
     * @throws IOException if a file is missing, truncated or of a type that cannot be read
     * @throws ModelNotFoundException if there is no translator for the types
     * @throws MalformedModelException if tensors are missing, left over or of another shape
     * @throws IllegalArgumentException if an argument or the configuration cannot be used, or an
     *     adapter does not fit the model
     */
    public static <I, O> ZooModel<I, O> load(
            Path folder, String name, Criteria<I, O> criteria, AdapterArgument.Finder finder)
            throws IOException, ModelNotFoundException, MalformedModelException {
        CriteriaLoading<I, O> loading = new CriteriaLoading<>(name, criteria);
        loading.checkTypes();
        Object adapter = CriteriaLoading.settings(criteria).get(AdapterArgument.NAME);
        return loading.load(folder, AdapterArgument.read(adapter, finder));
    }

    /**
     * Loads a model with adapters, as a criteria asks, whose own argument {@code adapter} is not
     * looked at.
     *
     * @param <I> the type of the input
     * @param <O> the type of the output
     * @param folder the folder
     * @param name the name of the model unless the criteria gives one
     * @param criteria what to load; where to find it is not looked at
     * @param adapters the adapters; several make one, the weighted sum of their changes
     * @return the model; with adapters, {@link io.github.loradjl.LoraModel#of} has them
     * @throws IOException if a file is missing, truncated or of a type that cannot be read
     * @throws ModelNotFoundException if there is no translator for the types
     * @throws MalformedModelException if tensors are missing, left over or of another shape
     * @throws IllegalArgumentException if an argument or the configuration cannot be used, or an
     *     adapter does not fit the model
     */
    public static <I, O> ZooModel<I, O> load(
            Path folder, String name, Criteria<I, O> criteria, List<WeightedAdapter> adapters)
            throws IOException, ModelNotFoundException, MalformedModelException {
        return new CriteriaLoading<>(name, criteria).load(folder, adapters);
    }

    /**
     * Loads the encoder of a T5 model with a classifier, frozen. The classifier is drawn, unless
     * the folder has one, and is float32 in any case.
     *
     * @param folder a folder with a T5 model, whose decoder is left out
     * @param classes the number of classes
     * @param seed the seed of the new classifier
     * @param device where to put the weights; null for DJL's default
     * @param dataType FLOAT32, or BFLOAT16 to keep weights stored in bfloat16 as they are
     * @return the model, its block a {@link T5EncoderClassifier}
     * @throws IOException if a file is missing, truncated or of a type that cannot be read
     * @throws MalformedModelException if tensors are missing, left over or of another shape
     * @throws IllegalArgumentException if the configuration is incomplete or not that of a T5 model
     */
    public static ZooModel<NDList, NDList> loadClassifier(
            Path folder, int classes, long seed, Device device, DataType dataType)
            throws IOException, MalformedModelException {
        T5EncoderClassifier block = new T5EncoderClassifier(T5Config.read(folder), classes, seed);
        return new ZooModel<>(
                load(block, folder, name(folder), device, dataType, false, null),
                new NoopTranslator());
    }

    private static String name(Path folder) {
        return folder.toAbsolutePath().normalize().getFileName().toString();
    }

    static Model load(
            Path folder,
            String name,
            Device device,
            DataType dataType,
            boolean trainable,
            Progress progress)
            throws IOException, MalformedModelException {
        return load(newModel(folder), folder, name, device, dataType, trainable, progress);
    }

    private static Model load(
            StagedModel block,
            Path folder,
            String name,
            Device device,
            DataType dataType,
            boolean trainable,
            Progress progress)
            throws IOException, MalformedModelException {
        Model model = Model.newInstance(name, device, PtEngine.ENGINE_NAME);
        try {
            fill(block, folder, model.getNDManager(), dataType, trainable, progress);
            model.setBlock(block);
            // DJL learns the folder here; setting the block again keeps its trainer from
            // unfreezing everything that was loaded.
            model.load(folder, null, Map.of("hasParameter", "false"));
            model.setBlock(block);
            return model;
        } catch (IOException | MalformedModelException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** Makes a folder's block with its weights, which belong to the manager. */
    static Block newBlock(Path folder, NDManager manager, DataType dataType, boolean trainable)
            throws IOException {
        LanguageModel block = newModel(folder);
        try {
            fill(block, folder, manager, dataType, trainable, null);
        } catch (MalformedModelException e) {
            throw new IOException(e.getMessage(), e);
        }
        return block;
    }

    private static void fill(
            StagedModel block,
            Path folder,
            NDManager manager,
            DataType dataType,
            boolean trainable,
            Progress progress)
            throws IOException, MalformedModelException {
        if (dataType != DataType.FLOAT32 && dataType != DataType.BFLOAT16) {
            throw new IllegalArgumentException(
                    "a model is computed in float32 or bfloat16, not in " + dataType);
        }
        try (Safetensors tensors = Safetensors.open(folder)) {
            CheckpointParameters parameters = new CheckpointParameters(block, tensors);
            parameters.check(folder.toString());
            parameters.load(manager, dataType, trainable, progress);
            block.freezeParameters(!trainable);
            block.initialize(manager, DataType.FLOAT32, new Shape(1, 1));
            if (!trainable) {
                block.setStoredWeights(new FolderDigests(folder));
            }
        }
    }

    /**
     * Writes a model as a Hugging Face folder: {@code config.json}, {@code model.safetensors}, and
     * copies of what stands beside the weights in another folder, such as the tokenizer.
     *
     * @param block the model; weights of adapters are not written
     * @param folder the folder to write to; made if it is missing
     * @param companions the folder whose tokenizer and generation settings are copied, or null
     * @param dataType the type of the stored weights: FLOAT32, FLOAT16 or BFLOAT16; weights held in
     *     bfloat16 are stored so in any case
     * @throws IOException if writing fails; each file is whole or not there
     */
    public static void save(LanguageModel block, Path folder, Path companions, DataType dataType)
            throws IOException {
        String stored;
        switch (dataType) {
            case FLOAT32:
                stored = "F32";
                break;
            case FLOAT16:
                stored = "F16";
                break;
            case BFLOAT16:
                stored = "BF16";
                break;
            default:
                throw new IllegalArgumentException(
                        "weights are stored as FLOAT32, FLOAT16 or BFLOAT16, not as " + dataType);
        }
        Map<String, Parameter> present = CheckpointParameters.of(block);
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        for (String path : CheckpointParameters.of(block.newEmpty()).keySet()) {
            Parameter parameter = present.get(path);
            if (parameter == null) {
                throw new IllegalStateException(
                        "the model has no " + path + "; detach its adapters before saving");
            }
            arrays.put(path, parameter.getArray());
        }
        Files.createDirectories(folder);
        if (companions != null) {
            for (String file : COMPANIONS) {
                if (Files.isRegularFile(companions.resolve(file))) {
                    AtomicFile.copy(companions.resolve(file), folder.resolve(file));
                }
            }
        }
        SafetensorsWriter.write(folder.resolve(WEIGHTS), arrays, SafetensorsWriter.PYTORCH, stored);
        // Last, because a folder counts as a model only with it.
        AtomicFile.writeString(folder.resolve("config.json"), json(block, dataType));
    }

    /**
     * Tells whether a folder's model has an encoder beside its decoder, without loading it.
     *
     * @param folder the folder
     * @return true for T5, false for LLaMA
     * @throws IOException if the configuration cannot be read
     */
    public static boolean isEncoderDecoder(Path folder) throws IOException {
        JsonObject json = ConfigReader.read(folder.resolve("config.json"));
        return T5Config.MODEL_TYPES.contains(new ConfigReader(json).text("model_type", "(none)"));
    }

    /** The type of the model decides what is built; LLaMA's configuration refuses the others. */
    private static LanguageModel newModel(Path folder) throws IOException {
        return isEncoderDecoder(folder)
                ? new T5ForConditionalGeneration(T5Config.read(folder))
                : new LlamaForCausalLM(LlamaConfig.read(folder));
    }

    private static String json(LanguageModel model, DataType dataType) {
        JsonObject json = model.toConfigJson();
        json.remove("dtype");
        json.addProperty("torch_dtype", dataType.toString().toLowerCase(Locale.ROOT));
        return new GsonBuilder().setPrettyPrinting().serializeNulls().create().toJson(json) + "\n";
    }
}
