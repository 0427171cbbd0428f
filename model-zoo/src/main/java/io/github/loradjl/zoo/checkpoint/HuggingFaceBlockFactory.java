package io.github.loradjl.zoo.checkpoint;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.nn.BlockFactory;

import io.github.loradjl.zoo.repository.AdapterRepositories;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Loads the block of a Hugging Face folder for DJL's own loader, which knows no safetensors: where
 * an artifact or a {@code serving.properties} names it as {@code blockFactory}, and for {@code
 * hf://}.
 *
 * <p>The block comes with its weights, frozen; DJL needs the option {@code hasParameter=false} to
 * look for none. Arguments, which with this loader cannot be given as options: {@code dtype},
 * {@code float32} or {@code bfloat16}; {@code trainParam}, true for weights that can be trained
 * themselves; {@code adapter} and {@code forceAdapter} as with {@link HuggingFaceFolder#zoo}, and
 * an adapter may lie in a folder within the model's own. The device is that of {@code optDevice}.
 */
public final class HuggingFaceBlockFactory implements BlockFactory {

    private static final long serialVersionUID = 1L;

    /** Creates the factory. */
    public HuggingFaceBlockFactory() {}

    /**
     * Returns the options that DJL's loader needs beside this factory.
     *
     * @return the options
     */
    public static Map<String, String> options() {
        return Map.of("hasParameter", "false");
    }

    /** {@inheritDoc} */
    @Override
    public Block newBlock(Model model, Path modelPath, Map<String, ?> arguments)
            throws IOException {
        LoadSettings settings = new LoadSettings(arguments);
        try {
            checkDevice(settings.device(), model.getNDManager().getDevice());
            // What cannot be found is to be told before the weights are read.
            List<WeightedAdapter> adapters =
                    AdapterArgument.read(
                            arguments.get(AdapterArgument.NAME), name -> find(modelPath, name));
            Block block =
                    HuggingFaceFolder.newBlock(
                            modelPath,
                            model.getNDManager(),
                            settings.dataType(),
                            settings.isTrainable());
            if (adapters.isEmpty()) {
                return block;
            }
            model.setBlock(block);
            AdapterAttachment.attach(model, adapters, settings.isForced());
            return model.getBlock();
        } catch (IOException | RuntimeException e) {
            // DJL forgets a model without a block.
            model.close();
            throw e;
        }
    }

    private static Path find(Path modelPath, String name) throws IOException {
        Path within =
                AdapterArgument.isFolder(modelPath + "/" + name) ? modelPath.resolve(name) : null;
        return within == null ? AdapterRepositories.fetch(name, null) : within;
    }

    /** DJL has made the model already, on a device of its own choice. */
    private static void checkDevice(Device wanted, Device chosen) {
        if (wanted != null && !wanted.equals(chosen)) {
            throw new IllegalArgumentException(
                    "the argument device is "
                            + wanted
                            + ", and DJL's loader has taken "
                            + chosen
                            + ": give the device by Criteria.optDevice");
        }
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return getClass().getName();
    }
}
