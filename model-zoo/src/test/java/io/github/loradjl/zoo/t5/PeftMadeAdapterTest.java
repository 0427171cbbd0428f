package io.github.loradjl.zoo.t5;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDList;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.Gson;
import io.github.loradjl.LoraModel;
import io.github.loradjl.peft.PeftAdapter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

/** An adapter that PEFT made for a T5, by make_peft_adapter.py. */
class PeftMadeAdapterTest {

    @TempDir private Path folder;

    @Test
    void load_givesTheLogitsOfPeft() throws Exception {
        Path adapter = Path.of(getClass().getResource("peft-adapter").toURI());
        String json = Files.readString(adapter.resolve("logits.json"));
        float[] expected = new Gson().fromJson(json, float[].class);
        RandomT5.write(folder, RandomT5.expected("v1.0").config);
        try (ZooModel<NDList, NDList> model = RandomT5.load(folder)) {
            float[] base = RandomT5.logits(model);
            try (LoraModel lora = PeftAdapter.load(model, adapter)) {
                // q and v of eight attentions, wo of five feed-forward layers.
                assertThat(lora.getTargets(LoraModel.DEFAULT_ADAPTER)).hasSize(21);
                // Rounding of float32; the adapter changes the first digits.
                assertThat(RandomT5.logits(model)).containsExactly(expected, within(1e-4f));
            }
            assertThat(RandomT5.logits(model)).isEqualTo(base);
        }
    }
}
