package io.github.loradjl.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.llama.LlamaForCausalLM;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class TinyStoryLlamaTest {

    private static final String CACHE = "DJL_CACHE_DIR";
    private static final String ENGINE_CACHE = "ENGINE_CACHE_DIR";

    @TempDir private Path cache;

    @BeforeEach
    void useACacheOfItsOwn() {
        // The engine's own files stay where they are: they are large.
        System.setProperty(
                ENGINE_CACHE, Path.of(System.getProperty("user.home"), ".djl.ai").toString());
        System.setProperty(CACHE, cache.toString());
    }

    @AfterEach
    void restore() {
        System.clearProperty(CACHE);
        System.clearProperty(ENGINE_CACHE);
    }

    @Test
    void folder_twice_unpacksOnce() throws IOException {
        Path folder = TinyStoryLlama.folder();
        assertThat(folder).startsWith(cache);
        Path weights = folder.resolve("model.safetensors");
        Object written = Files.getLastModifiedTime(weights);
        assertThat(TinyStoryLlama.folder()).isEqualTo(folder);
        assertThat(Files.getLastModifiedTime(weights)).isEqualTo(written);
    }

    @Test
    void folder_damagedFile_isRestored() throws IOException {
        Path weights = TinyStoryLlama.folder().resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(weights);
        byte[] damaged = whole.clone();
        damaged[damaged.length - 1] ^= 1;
        Files.write(weights, damaged);
        TinyStoryLlama.folder();
        assertThat(Files.readAllBytes(weights)).isEqualTo(whole);
    }

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
