package io.github.loradjl.examples.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;

import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

class ShippedModelIT {

    @TempDir private Path folder;

    @Test
    void shippedModel_newStories_reachesTheLossOfItsCard() throws Exception {
        Path shipped = TinyStoryLlama.folder();
        try (TextTokenizer tokenizer = TextTokenizer.load(shipped);
                ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(shipped, Device.cpu(), DataType.FLOAT32);
                NDManager scratch = model.getNDManager().newSubManager()) {
            StoryBatches batches = new StoryBatches(new StoryGrammar(4711), tokenizer, 64, 4711);
            StoryBatches.StoryBatch batch = batches.next(scratch);
            float loss =
                    ((LlamaForCausalLM) model.getBlock())
                            .evaluateLoss(
                                    new ParameterStore(scratch, false),
                                    new NDList(batch.ids()),
                                    new NDList(batch.labels()))
                            .getFloat();
            assertThat(loss).isLessThan(0.6f);
        }
    }

    @Test
    void pretrain_fewSteps_writesAFolderThatLoadsAndRepeats() throws Exception {
        Pretraining.Settings settings = new Pretraining.Settings(3, 2, 1e-3, 5);
        List<Double> losses = new ArrayList<>();
        double heldOut =
                Pretraining.run(
                        Files.createDirectory(folder.resolve("first")),
                        settings,
                        (step, loss, rate, speed) -> losses.add(loss));
        assertThat(losses).hasSize(3);
        // An untrained model knows nothing: ln(768) = 6.64 nats, and three steps change little.
        assertThat(losses.get(0)).isBetween(6.4, 6.9);
        assertThat(heldOut).isLessThan(losses.get(0));
        Pretraining.run(
                Files.createDirectory(folder.resolve("second")),
                settings,
                (step, loss, rate, speed) -> {});
        assertThat(weights("second")).isEqualTo(weights("first"));
        try (ZooModel<NDList, NDList> model =
                HuggingFaceFolder.load(folder.resolve("first"), Device.cpu(), DataType.FLOAT32)) {
            assertThat(model.getBlock()).isInstanceOf(LlamaForCausalLM.class);
        }
    }

    private byte[] weights(String name) throws IOException {
        return Files.readAllBytes(folder.resolve(name).resolve("model.safetensors"));
    }
}
