package io.github.loradjl.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;

class TinyStoryLlamaTest {

    @Test
    void folder_loaded_isASmallLlamaWithItsTokenizer() throws Exception {
        Path folder = TinyStoryLlama.folder();
        try (TextTokenizer tokenizer = TextTokenizer.load(folder);
                ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(folder, Device.cpu(), DataType.FLOAT32)) {
            LlamaForCausalLM llama = (LlamaForCausalLM) model.getBlock();
            assertThat(llama.getConfig().getVocabularySize())
                    .isEqualTo((int) tokenizer.getVocabularySize());
            assertThat(llama.getEndTokens()).containsExactly(tokenizer.getEosId().getAsLong());
            long parameters =
                    llama.getParameters().values().stream()
                            .mapToLong(parameter -> parameter.getArray().size())
                            .sum();
            assertThat(parameters).isBetween(500_000L, 2_000_000L);
        }
    }
}
