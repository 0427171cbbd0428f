package io.github.loradjl.zoo.checkpoint;

import ai.djl.Model;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.nn.BlockFactory;
import ai.djl.translate.ArgumentsUtil;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * Loads the block of a Hugging Face folder for DJL's own loader, which knows no safetensors: where
 * an artifact or a {@code serving.properties} names it as {@code blockFactory}, and for {@code
 * hf://}.
 *
 * <p>The block comes with its weights, frozen; DJL needs the option {@code hasParameter=false} to
 * look for none. Arguments: {@code dtype}, {@code float32} or {@code bfloat16}; {@code trainParam},
 * true for weights that can be trained themselves.
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
        try {
            return HuggingFaceFolder.newBlock(
                    modelPath,
                    model.getNDManager(),
                    dataType(ArgumentsUtil.stringValue(arguments, "dtype", "float32")),
                    Boolean.parseBoolean(
                            ArgumentsUtil.stringValue(arguments, "trainParam", "false")));
        } catch (IOException | RuntimeException e) {
            // DJL forgets a model without a block.
            model.close();
            throw e;
        }
    }

    private static DataType dataType(String name) {
        switch (name.toLowerCase(Locale.ROOT)) {
            case "float32":
                return DataType.FLOAT32;
            case "bfloat16":
                return DataType.BFLOAT16;
            default:
                throw new IllegalArgumentException(
                        "argument dtype is float32 or bfloat16, not \"" + name + "\"");
        }
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return getClass().getName();
    }
}
