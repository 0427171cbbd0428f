package io.github.loradjl.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class ShippedModelTest {

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

    @ParameterizedTest
    @ValueSource(strings = {TinyStoryLlama.NAME, TinyStoryT5.NAME})
    void folder_twice_unpacksOnce(String name) throws IOException {
        ShippedModel model = new ShippedModel(name);
        Path folder = model.folder();
        assertThat(folder).startsWith(cache).hasFileName(name);
        Path weights = folder.resolve("model.safetensors");
        Object written = Files.getLastModifiedTime(weights);
        assertThat(model.folder()).isEqualTo(folder);
        assertThat(Files.getLastModifiedTime(weights)).isEqualTo(written);
    }

    @ParameterizedTest
    @ValueSource(strings = {TinyStoryLlama.NAME, TinyStoryT5.NAME})
    void folder_damagedFile_isRestored(String name) throws IOException {
        ShippedModel model = new ShippedModel(name);
        Path weights = model.folder().resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(weights);
        byte[] damaged = whole.clone();
        damaged[damaged.length - 1] ^= 1;
        Files.write(weights, damaged);
        model.folder();
        assertThat(Files.readAllBytes(weights)).isEqualTo(whole);
    }

    @Test
    void folder_damagedJar_isRefused() {
        assertThatIOException()
                .isThrownBy(new ShippedModel("damaged")::folder)
                .withMessageContaining("models/damaged/config.json is damaged");
        assertThat(cache).isEmptyDirectory();
    }
}
