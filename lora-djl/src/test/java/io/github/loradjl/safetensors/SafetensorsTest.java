package io.github.loradjl.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

class SafetensorsTest {

    @TempDir Path folder;

    private NDManager manager;

    @BeforeEach
    void setUp() throws IOException {
        manager = NDManager.newBaseManager();
        write("one.safetensors", "a", 1f);
        write("two.safetensors", "b", 2f);
    }

    @AfterEach
    void tearDown() {
        manager.close();
    }

    @Test
    void open_shards_readsEachFromItsFile() throws Exception {
        index(
                "{\"metadata\":{},\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}}");
        try (Safetensors tensors = Safetensors.open(folder)) {
            assertThat(tensors.names()).containsExactly("a", "b");
            assertThat(tensors.read(manager, "a").getFloat()).isEqualTo(1f);
            assertThat(tensors.readStored(manager, "b").getFloat()).isEqualTo(2f);
            assertThat(tensors.info("b").dtype()).isEqualTo("F32");
            assertThat(tensors.sha256("a")).isNotEqualTo(tensors.sha256("b"));
            assertThatThrownBy(() -> tensors.info("c")).hasMessageContaining("'c'");
        }
    }

    @Test
    void open_folderWithOneFile_readsIt() throws Exception {
        write("model.safetensors", "m", 3f);
        try (Safetensors tensors = Safetensors.open(folder)) {
            assertThat(tensors.names()).containsExactly("m");
        }
    }

    @Test
    void areEqual_comparesTypeShapeAndBytes() throws Exception {
        // Longer than what is compared at once, so that the last number is in another part.
        NDArray ones = manager.ones(new Shape(2, 300_000));
        NDArray other = ones.duplicate();
        other.set(new NDIndex("1, -1"), 2);
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        arrays.put("ones", ones);
        arrays.put("same", ones);
        arrays.put("other", other);
        arrays.put("reshaped", ones.reshape(300_000, 2));
        arrays.put("bits", manager.full(new Shape(2, 300_000), Float.floatToIntBits(1)));
        SafetensorsWriter.write(folder.resolve("model.safetensors"), arrays, Map.of());
        try (Safetensors tensors = Safetensors.open(folder)) {
            assertThat(tensors.areEqual("ones", "same")).isTrue();
            assertThat(tensors.areEqual("ones", "other")).isFalse();
            assertThat(tensors.areEqual("ones", "reshaped")).isFalse();
            assertThat(tensors.info("bits").dtype()).isEqualTo("I32");
            assertThat(tensors.areEqual("ones", "bits")).isFalse();
        }
    }

    @Test
    void open_indexNamesAbsentShard_namesIt() throws Exception {
        index("{\"weight_map\":{\"a\":\"three.safetensors\"}}");
        assertThatThrownBy(() -> Safetensors.open(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("three.safetensors");
    }

    @Test
    void open_indexPutsTensorIntoWrongShard_namesBoth() throws Exception {
        index("{\"weight_map\":{\"a\":\"two.safetensors\"}}");
        assertThatThrownBy(() -> Safetensors.open(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("'a'")
                .hasMessageContaining("two.safetensors");
    }

    @Test
    void open_tensorInTwoShards_namesIt() throws Exception {
        write("again.safetensors", "a", 5f);
        Files.move(folder.resolve("one.safetensors"), folder.resolve("first.safetensors"));
        try (var one = SafetensorsFile.open(folder.resolve("first.safetensors"))) {
            SafetensorsWriter.write(
                    folder.resolve("again.safetensors"),
                    Map.of("a", one.read(manager, "a"), "c", one.read(manager, "a")),
                    Map.of());
        }
        index("{\"weight_map\":{\"a\":\"first.safetensors\",\"c\":\"again.safetensors\"}}");
        assertThatThrownBy(() -> Safetensors.open(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in both");
    }

    @Test
    void open_shardOutsideTheFolder_isRefused() throws Exception {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        for (String name : new String[] {"../one.safetensors", "x/one.safetensors", "..", ""}) {
            Files.writeString(
                    inner.resolve("model.safetensors.index.json"),
                    "{\"weight_map\":{\"a\":\"" + name + "\"}}");
            assertThatThrownBy(() -> Safetensors.open(inner))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("plain file name");
        }
    }

    @Test
    void open_wrongIndex_isRefused() throws Exception {
        for (String json :
                new String[] {
                    "{", "[]", "{}", "{\"weight_map\":{}}", "{\"weight_map\":{\"a\":{}}}"
                }) {
            index(json);
            assertThatThrownBy(() -> Safetensors.open(folder))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("index.json");
        }
    }

    @Test
    void open_emptyFolderOrPickle_saysWhatIsRead() throws Exception {
        assertThatThrownBy(() -> Safetensors.open(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("model.safetensors");
        Path pickle = Files.createFile(folder.resolve("pytorch_model.bin"));
        assertThatThrownBy(() -> Safetensors.open(pickle))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("pickle");
    }

    private void index(String json) throws IOException {
        Files.writeString(folder.resolve("model.safetensors.index.json"), json);
    }

    private void write(String file, String name, float value) throws IOException {
        SafetensorsWriter.write(
                folder.resolve(file),
                Map.of(name, manager.create(value)),
                SafetensorsWriter.PYTORCH);
    }
}
