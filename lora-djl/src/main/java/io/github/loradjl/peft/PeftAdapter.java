package io.github.loradjl.peft;

import ai.djl.Model;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.safetensors.SafetensorsFile;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Saves adapters as PEFT folders and loads such folders.
 *
 * <p>Tensors are named {@code base_model.model.PATH.lora_A.weight} and so on, with the block paths
 * of the model, so an adapter fits the model in another framework if its modules have the same
 * paths there.
 *
 * <p>An adapter whose start is subtracted, y = W0 x + eta (B A - B0 A0) x, is saved as A' = [A;
 * A0], B' = [B, -B0] with rank 2r and alpha = 2 r eta, which any reader computes right on the
 * untouched base. From the extra file {@code lora_djl.json} this library restores A, B, A0 and B0
 * bit for bit and goes on with training; it also checks the base by the fingerprint in it. A folder
 * without that file is loaded as an ordinary adapter, checked by names and shapes.
 *
 * @see <a href="https://huggingface.co/docs/peft/developer_guides/checkpoint">PEFT's checkpoint
 *     format</a>
 */
public final class PeftAdapter {

    private PeftAdapter() {}

    /**
     * Saves the only adapter of a model, or the only active one.
     *
     * @param lora the adapted model
     * @param folder the folder to write; an adapter in it is replaced
     * @throws IllegalStateException if there are several adapters to choose from, or the start of
     *     the adapter is still pending
     * @throws IOException if writing fails; nothing half-written is left
     */
    public static void save(LoraModel lora, Path folder) throws IOException {
        save(lora, folder, SaveOptions.builder().build());
    }

    /**
     * Saves the only adapter of a model, or the only active one.
     *
     * @param lora the adapted model
     * @param folder the folder to write; an adapter in it is replaced
     * @param options how to save
     * @throws IllegalStateException if there are several adapters to choose from, or the start of
     *     the adapter is still pending
     * @throws IOException if writing fails; nothing half-written is left
     */
    public static void save(LoraModel lora, Path folder, SaveOptions options) throws IOException {
        List<String> names = List.copyOf(lora.getAdapters());
        if (names.size() != 1) {
            names = lora.getActive();
        }
        if (names.size() != 1) {
            throw new IllegalStateException(
                    "which adapter shall be saved? The model has "
                            + lora.getAdapters()
                            + ", active are "
                            + lora.getActive()
                            + "; give its name");
        }
        save(lora, names.get(0), folder, options);
    }

    /**
     * Saves one adapter.
     *
     * @param lora the adapted model
     * @param name the adapter's name, which is not saved
     * @param folder the folder to write; an adapter in it is replaced
     * @param options how to save
     * @throws IllegalArgumentException if there is no such adapter, or the portable form cannot
     *     hold it
     * @throws IllegalStateException if the start of the adapter is still pending
     * @throws IOException if writing fails; nothing half-written is left
     */
    public static void save(LoraModel lora, String name, Path folder, SaveOptions options)
            throws IOException {
        if (lora.isStartPending(name)) {
            throw new IllegalStateException(
                    "adapter "
                            + name
                            + " waits for its start and has nothing to save: run the gradient pass"
                            + " first, by a LoraGaListener or LoraGa.start");
        }
        AdapterFolder.write(folder, lora, name, options);
    }

    /**
     * Adds a saved adapter to a model, inactive at first.
     *
     * @param lora the model
     * @param folder the folder to read
     * @param name the name of the new adapter, without dots
     * @throws IOException if a file is missing or malformed, or asks for something that is not
     *     supported, which the message names
     * @throws IllegalArgumentException if the adapter does not fit the model: another base, a
     *     tensor without a home, a missing one, or one of another shape; the model is unchanged
     */
    public static void load(LoraModel lora, Path folder, String name) throws IOException {
        load(lora, folder, name, false);
    }

    /**
     * Adds a saved adapter to a model, inactive at first.
     *
     * @param lora the model
     * @param folder the folder to read
     * @param name the name of the new adapter, without dots
     * @param forced true to take an adapter that was trained on a base with other weights, with a
     *     warning; names and shapes must fit all the same
     * @throws IOException as in {@link #load(LoraModel, Path, String)}
     * @throws IllegalArgumentException likewise
     */
    public static void load(LoraModel lora, Path folder, String name, boolean forced)
            throws IOException {
        AdapterFolder read = AdapterFolder.read(folder);
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve(AdapterFolder.TENSORS))) {
            new AdapterImport(lora, read, file).addTo(name, forced);
        }
    }

    /**
     * Attaches to a model with one saved adapter, named {@code default} and active.
     *
     * @param model the model, its block loaded
     * @param folder the folder to read
     * @return the adapted model
     * @throws IOException as in {@link #load(LoraModel, Path, String)}
     * @throws IllegalArgumentException likewise
     */
    public static LoraModel load(Model model, Path folder) throws IOException {
        LoraModel lora = LoraModel.attach(model);
        try {
            load(lora, folder, LoraModel.DEFAULT_ADAPTER);
            lora.setActive(LoraModel.DEFAULT_ADAPTER);
            return lora;
        } catch (IOException | RuntimeException e) {
            lora.detach();
            throw e;
        }
    }

    /**
     * Reads the configuration of a saved adapter without its tensors.
     *
     * @param folder the folder to read
     * @return the configuration; where the start is subtracted, that of the adapter itself, not of
     *     the tensors of twice its rank
     * @throws IOException as in {@link #load(LoraModel, Path, String)}
     */
    public static LoraConfig readConfig(Path folder) throws IOException {
        AdapterFolder read = AdapterFolder.read(folder);
        return read.isDifference() ? read.ownConfig() : read.config();
    }

    /**
     * Reads where a saved adapter comes from, without its tensors.
     *
     * @param folder the folder to read
     * @return the method, the task and the base
     * @throws IOException as in {@link #load(LoraModel, Path, String)}
     */
    public static AdapterOrigin readOrigin(Path folder) throws IOException {
        return AdapterFolder.read(folder).origin();
    }
}
