package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.LoraModel;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.zoo.block.LanguageModel;
import io.github.loradjl.zoo.text.TextTokenizer;

import java.io.IOException;
import java.nio.file.Path;

/** A model to use, with its tokenizer and perhaps an adapter. */
final class LoadedModel implements AutoCloseable {

    private final TextTokenizer tokenizer;
    private final ZooModel<NDList, NDList> model;
    // Null without an adapter.
    private final LoraModel lora;

    private LoadedModel(TextTokenizer tokenizer, ZooModel<NDList, NDList> model, LoraModel lora) {
        this.tokenizer = tokenizer;
        this.model = model;
        this.lora = lora;
    }

    /** Loads a model and its adapter's folder, which may be null. */
    static LoadedModel open(ModelOptions options, Path adapter)
            throws IOException, MalformedModelException {
        TextTokenizer tokenizer = TextTokenizer.load(options.folder());
        ZooModel<NDList, NDList> model = null;
        try {
            model = options.load();
            LoraModel lora = adapter == null ? null : PeftAdapter.load(model, adapter);
            return new LoadedModel(tokenizer, model, lora);
        } catch (IOException | MalformedModelException | RuntimeException e) {
            if (model != null) {
                model.close();
            }
            tokenizer.close();
            throw e;
        }
    }

    TextTokenizer tokenizer() {
        return tokenizer;
    }

    Model model() {
        return model;
    }

    /** Returns the most positions that the model was made for. */
    int maxLength() {
        Block block = lora == null ? model.getBlock() : lora.getBase();
        return ((LanguageModel) block).getMaxLength();
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        if (lora != null) {
            lora.close();
        }
        model.close();
        tokenizer.close();
    }
}
