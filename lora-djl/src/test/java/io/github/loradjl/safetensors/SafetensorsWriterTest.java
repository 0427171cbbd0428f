package io.github.loradjl.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

class SafetensorsWriterTest {

    @TempDir Path folder;

    @Test
    void write_everyType_readsBackBitForBit() throws Exception {
        Path path = folder.resolve("deeper/all.safetensors");
        try (NDManager manager = NDManager.newBaseManager()) {
            float[] values = {0f, -0f, 1.00390625f, -3e30f, 1e-40f, Float.POSITIVE_INFINITY};
            NDArray floats = manager.create(values, new Shape(2, 3));
            Map<String, NDArray> tensors = new LinkedHashMap<>();
            tensors.put("z.f32", floats);
            tensors.put("f16", floats.toType(DataType.FLOAT16, false));
            tensors.put("bf16", TorchOps.toBfloat16(floats));
            tensors.put("transposed", floats.transpose());
            tensors.put("i64", manager.create(new long[] {Long.MIN_VALUE, 3}));
            tensors.put("i32", manager.create(new int[] {-1, 5}));
            tensors.put("f64", manager.create(new double[] {Math.PI}));
            tensors.put("bool", manager.create(new boolean[] {true, false, true}));
            tensors.put("scalar", manager.create(4f));
            tensors.put("none", manager.zeros(new Shape(0, 7)));
            SafetensorsWriter.write(path, tensors, SafetensorsWriter.PYTORCH);

            ByteBuffer bytes =
                    ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(bytes.getLong() % 8).isZero();
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                assertThat(file.metadata()).isEqualTo(Map.of("format", "pt"));
                assertThat(file.names()).containsExactlyElementsOf(tensors.keySet());
                for (Map.Entry<String, NDArray> entry : tensors.entrySet()) {
                    NDArray back = file.readStored(manager, entry.getKey());
                    assertThat(back.getShape()).isEqualTo(entry.getValue().getShape());
                    assertThat(back.getDataType()).isEqualTo(entry.getValue().getDataType());
                    assertThat(stored(back)).isEqualTo(stored(entry.getValue()));
                }
            }
        }
    }

    @Test
    void write_narrowFloats_roundsOnlyFloat32() throws Exception {
        Path path = folder.resolve("half.safetensors");
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, NDArray> tensors = new LinkedHashMap<>();
            tensors.put("x", manager.create(new float[] {1.1f, 2f}));
            tensors.put("i", manager.create(new long[] {1}));
            SafetensorsWriter.write(path, tensors, Map.of(), "BF16");
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                assertThat(file.metadata()).isEmpty();
                assertThat(file.info("i").dtype()).isEqualTo("I64");
                // The nearest number with an 8-bit significand.
                assertThat(file.read(manager, "x").toFloatArray()).containsExactly(1.1015625f, 2f);
            }
            assertThatThrownBy(() -> SafetensorsWriter.write(path, tensors, Map.of(), "I64"))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void write_sameArrays_makesTheSameFile() throws Exception {
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, NDArray> tensors = new LinkedHashMap<>();
            tensors.put("b", manager.ones(new Shape(3)));
            tensors.put("a", manager.ones(new Shape(2)));
            Path one = folder.resolve("one");
            Path two = folder.resolve("two");
            SafetensorsWriter.write(one, tensors, SafetensorsWriter.PYTORCH);
            SafetensorsWriter.write(two, tensors, SafetensorsWriter.PYTORCH);
            assertThat(Files.mismatch(one, two)).isEqualTo(-1);
        }
    }

    @Test
    void write_failure_leavesTheEarlierFileAndNothingElse() throws Exception {
        Path path = folder.resolve("x.safetensors");
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray good = manager.ones(new Shape(2));
            SafetensorsWriter.write(path, Map.of("x", good), SafetensorsWriter.PYTORCH);
            byte[] before = Files.readAllBytes(path);

            NDArray shrinking = manager.ones(new Shape(2));
            Map<String, NDArray> tensors = new LinkedHashMap<>();
            tensors.put("x", good);
            tensors.put("closed", shrinking);
            // The header still knows the shape; only copying the numbers fails.
            shrinking.getShape();
            shrinking.getDataType();
            shrinking.close();
            assertThatThrownBy(
                            () -> SafetensorsWriter.write(path, tensors, SafetensorsWriter.PYTORCH))
                    .isInstanceOf(IllegalStateException.class);

            assertThat(Files.readAllBytes(path)).isEqualTo(before);
            try (var files = Files.list(folder)) {
                assertThat(files).containsExactly(path);
            }
        }
    }

    @Test
    void write_leavesNoArraysBehind() throws Exception {
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = manager.ones(new Shape(5, 5));
            NDArray half = TorchOps.toBfloat16(x);
            Path path = folder.resolve("x.safetensors");
            SafetensorsWriter.write(path, Map.of("x", x, "h", half), Map.of(), "F16");
            assertThat(manager.getManagedArrays()).hasSize(2);
        }
    }

    private static byte[] stored(NDArray array) {
        if (array.getDataType() == DataType.UNKNOWN) {
            return TorchOps.bfloat16AsBytes(array).toByteArray();
        }
        return array.duplicate().toByteArray();
    }
}
