package io.github.loradjl.zoo;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The small model that ships in this jar: a LLaMA of about a million parameters that tells little
 * stories, for trying things out and for tests. Its model card stands beside it in the jar.
 *
 * <p>A model is loaded from files, so its folder is unpacked to DJL's cache, once.
 *
 * <pre>{@code
 * Criteria.builder()
 *         .setTypes(NDList.class, NDList.class)
 *         .optModelZoo(HuggingFaceFolder.zoo(TinyStoryLlama.folder()))
 *         .build()
 *         .loadModel();
 * }</pre>
 */
public final class TinyStoryLlama {

    /** The name of the model and of its folder. */
    public static final String NAME = "tiny-story-llama";

    static final ShippedModel MODEL = new ShippedModel(NAME);

    private TinyStoryLlama() {}

    /**
     * Returns the model's Hugging Face folder, unpacked and verified.
     *
     * @return the folder, in DJL's cache
     * @throws IOException if the folder cannot be written, or the jar is damaged
     */
    public static Path folder() throws IOException {
        return MODEL.folder();
    }
}
