package io.github.loradjl.zoo;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The small T5 that ships in this jar: about one and a half million parameters that fill gaps in
 * little stories, for trying things out and for tests. Its model card stands beside it in the jar.
 *
 * <p>A model is loaded from files, so its folder is unpacked to DJL's cache, once.
 *
 * <pre>{@code
 * Criteria.builder()
 *         .setTypes(NDList.class, NDList.class)
 *         .optModelZoo(HuggingFaceFolder.zoo(TinyStoryT5.folder()))
 *         .build()
 *         .loadModel();
 * }</pre>
 */
public final class TinyStoryT5 {

    /** The name of the model and of its folder. */
    public static final String NAME = "tiny-story-t5";

    static final ShippedModel MODEL = new ShippedModel(NAME);

    private TinyStoryT5() {}

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
