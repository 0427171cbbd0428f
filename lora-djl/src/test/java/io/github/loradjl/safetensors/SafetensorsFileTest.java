package io.github.loradjl.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.torch.TorchOps;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;

class SafetensorsFileTest {

    @TempDir Path folder;

    @Test
    void read_everyType_givesTheStoredNumbers() throws Exception {
        ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        data.putDouble(1.5).putLong(-7).putFloat(2.5f).putInt(-3);
        data.putShort((short) 0x3e00).putShort((short) 0x3fc0); // 1.5 as F16 and as BF16
        data.put((byte) -2).put((byte) 200).put((byte) 1);
        String json =
                "{\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},"
                        + "\"l\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[8,16]},"
                        + "\"f\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[16,20]},"
                        + "\"i\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[20,24]},"
                        + "\"h\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[24,26]},"
                        + "\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[26,28]},"
                        + "\"s\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[28,29]},"
                        + "\"u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[29,30]},"
                        + "\"t\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[30,31]}}";
        Path path = file(json, Arrays.copyOf(data.array(), 31));
        try (NDManager manager = NDManager.newBaseManager();
                SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.read(manager, "d").toDoubleArray()).containsExactly(1.5);
            assertThat(file.read(manager, "l").toLongArray()).containsExactly(-7);
            assertThat(file.read(manager, "f").getShape()).isEqualTo(new Shape());
            assertThat(file.read(manager, "f").getFloat()).isEqualTo(2.5f);
            assertThat(file.read(manager, "i").toIntArray()).containsExactly(-3);
            assertThat(file.read(manager, "h").toFloatArray()).containsExactly(1.5f);
            assertThat(file.readStored(manager, "h").getDataType()).isEqualTo(DataType.FLOAT16);
            assertThat(file.read(manager, "b").getShape()).isEqualTo(new Shape());
            assertThat(file.read(manager, "b").getFloat()).isEqualTo(1.5f);
            assertThat(file.readStored(manager, "b").getShape()).isEqualTo(new Shape());
            assertThat(file.readStored(manager, "b").getDataType()).isEqualTo(DataType.UNKNOWN);
            assertThat(file.read(manager, "s").toByteArray()).containsExactly(-2);
            assertThat(file.read(manager, "u").toUint8Array()).containsExactly(200);
            assertThat(file.read(manager, "t").toBooleanArray()).containsExactly(true);
            assertThat(file.info("b"))
                    .isEqualTo(new TensorInfo("b", "BF16", new Shape(), json.length() + 8 + 26, 2));
        }
    }

    @Test
    void read_misalignedTensors_givesTheStoredNumbers() throws Exception {
        ByteBuffer data = ByteBuffer.allocate(7).order(ByteOrder.LITTLE_ENDIAN);
        data.put((byte) 9).putFloat(-4.25f).putShort((short) 0xc010); // -2.25
        String json =
                "{\"u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                        + "\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]},"
                        + "\"b\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[5,7]}}";
        Path path = file(json, data.array());
        try (NDManager manager = NDManager.newBaseManager();
                SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.read(manager, "f").toFloatArray()).containsExactly(-4.25f);
            assertThat(TorchOps.toFloat32(file.readStored(manager, "b")).toFloatArray())
                    .containsExactly(-2.25f);
        }
    }

    @Test
    void read_afterFileAndHandleAreGone_viewsStillSeeTheNumbers() throws Exception {
        Path path = folder.resolve("large.safetensors");
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray source = manager.arange(300_000f);
            SafetensorsWriter.write(path, Map.of("x", source), SafetensorsWriter.PYTORCH);
            NDArray view;
            try (SafetensorsFile file = SafetensorsFile.open(path);
                    NDArray read = file.read(manager, "x")) {
                view = TorchOps.alias(read, manager);
            }
            for (int i = 0; i < 5; i++) {
                System.gc();
                Thread.sleep(20);
            }
            assertThat(view.sub(source).abs().max().getFloat()).isZero();
        }
    }

    @Test
    void read_narrowTypeLargerThanTheBuffer_widensEveryPiece() throws Exception {
        Path path = folder.resolve("large.safetensors");
        try (NDManager manager = NDManager.newBaseManager()) {
            // Past two buffers of 4 MiB, with a last piece; whole numbers up to 256 are exact in
            // bfloat16.
            NDArray source = manager.arange(5_000_003f).toType(DataType.INT32, false).mod(257);
            NDArray x = source.toType(DataType.FLOAT32, false);
            for (String type : new String[] {"F16", "BF16"}) {
                SafetensorsWriter.write(path, Map.of("x", x), SafetensorsWriter.PYTORCH, type);
                try (SafetensorsFile file = SafetensorsFile.open(path)) {
                    assertThat(file.info("x").dtype()).isEqualTo(type);
                    assertThat(file.read(manager, "x").sub(x).abs().max().getFloat()).isZero();
                    NDArray stored = TorchOps.toFloat32(file.readStored(manager, "x"));
                    assertThat(stored.sub(x).abs().max().getFloat()).isZero();
                }
            }
        }
    }

    @Test
    void read_manyTimes_leavesOneArrayEach() throws Exception {
        Path path = folder.resolve("small.safetensors");
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray x = manager.ones(new Shape(3, 4));
            SafetensorsWriter.write(
                    path, Map.of("f", x, "b", TorchOps.toBfloat16(x)), SafetensorsWriter.PYTORCH);
            try (NDManager target = manager.newSubManager();
                    SafetensorsFile file = SafetensorsFile.open(path)) {
                file.read(target, "f");
                file.read(target, "b");
                file.readStored(target, "b");
                assertThat(target.getManagedArrays()).hasSize(3);
            }
        }
    }

    @Test
    void sha256_isTheDigestOfTheStoredBytes() throws Exception {
        byte[] data = {1, 2, 3, 4, 5, 6, 7, 8};
        Path path =
                file(
                        "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
                                + "\"b\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[3,8]}}",
                        data);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            byte[] expected =
                    MessageDigest.getInstance("SHA-256").digest(Arrays.copyOfRange(data, 3, 8));
            assertThat(file.sha256("b")).isEqualTo(expected);
        }
    }

    @Test
    void info_unknownName_isRefused() throws Exception {
        try (SafetensorsFile file = SafetensorsFile.open(file("{}", new byte[0]))) {
            assertThatThrownBy(() -> file.info("nope"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'nope'");
        }
    }

    @Test
    void read_typeWithoutArray_isRefusedByName() throws Exception {
        Path path =
                file(
                        "{\"x\":{\"dtype\":\"F8_E4M3\",\"shape\":[2],\"data_offsets\":[0,2]}}",
                        new byte[2]);
        try (NDManager manager = NDManager.newBaseManager();
                SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.info("x").dtype()).isEqualTo("F8_E4M3");
            assertThatThrownBy(() -> file.read(manager, "x"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("'x'")
                    .hasMessageContaining("F8_E4M3");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'x':{'dtype':'F32','shape':[4],'data_offsets':[0,16]}}|tensor 'x'|truncated",
                "{'x':{'dtype':'F32','shape':[2],'data_offsets':[-8,0]}}|tensor 'x'|range",
                "{'x':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}}|tensor 'x'|range",
                "{'x':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}}|tensor 'x'|takes 12 bytes",
                "{'x':{'dtype':'F32','shape':[-1],'data_offsets':[0,8]}}|tensor 'x'|negative",
                "{'x':{'dtype':'F32','shape':[9999999999,9999999999],'data_offsets':[0,8]}}|'x'|many",
                "{'x':{'dtype':'F31','shape':[2],'data_offsets':[0,8]}}|tensor 'x'|F31",
                "{'x':{'dtype':'F32','data_offsets':[0,8]}}|tensor 'x'|missing",
                "{'x':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'y':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}|'y'|overlap"
                    + " those of 'x'",
                "{'x':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}|tensor 'x'|no tensor",
                "{'x':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}|has|describes only",
                "{'x':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},"
                        + "'x':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}|'x'|twice",
                "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}}|header|JSON",
                "{'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}|header|JSON",
                "{'x':[]}|header|JSON",
                "[]|header|JSON",
            })
    void open_wrongHeader_saysWhatIsWrong(String json, String where, String what) throws Exception {
        Path path = file(json.replace('\'', '"'), new byte[8]);
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContaining(where)
                .hasMessageContaining(what);
    }

    @Test
    void open_truncatedFile_saysExpectedAndActualBytes() throws Exception {
        String json = "{\"x\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";
        Path path = file(json, new byte[15]);
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(String.valueOf(8 + json.length() + 16))
                .hasMessageContaining(String.valueOf(8 + json.length() + 15));
    }

    @Test
    void open_headerLengthOutOfRange_isRefused() throws Exception {
        Path path = folder.resolve("x.safetensors");
        for (long length : new long[] {-1, 0, 100_000_001, Long.MAX_VALUE}) {
            Files.write(
                    path,
                    ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
            assertThatThrownBy(() -> SafetensorsFile.open(path))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("header of " + Long.toUnsignedString(length));
        }
        Files.write(
                path, ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(9).array());
        assertThatThrownBy(() -> SafetensorsFile.open(path)).hasMessageContaining("truncated");
        Files.write(path, new byte[7]);
        assertThatThrownBy(() -> SafetensorsFile.open(path)).hasMessageContaining("7 bytes");
    }

    @Test
    void open_missingFile_namesIt() {
        assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("none.safetensors")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("none.safetensors")
                .hasMessageContaining("missing");
    }

    /** The numbers were printed by the format's own Python library. */
    @Test
    void read_realFiles_givesTheNumbersOfTheReferenceReader() throws Exception {
        try (NDManager manager = NDManager.newBaseManager();
                SafetensorsFile file =
                        SafetensorsFile.open(
                                SharedRoot.require(
                                        "checkpoints/SmolLM2-135M-Instruct/model.safetensors"))) {
            assertThat(file.names()).hasSize(272);
            NDArray down = file.read(manager, "model.layers.3.mlp.down_proj.weight");
            assertThat(down.getShape()).isEqualTo(new Shape(576, 1536));
            assertThat(down.get("5,7:10").toFloatArray())
                    .containsExactly(-0.248046875f, -0.1728515625f, 0.23828125f);
            // Sums in double; the order of summation moves the last digits.
            assertThat(TorchOps.squareSum(down)).isCloseTo(30308.616739265155, within(1e-6));
            NDArray table = file.read(manager, "model.embed_tokens.weight");
            assertThat(table.get("-1,-3:").toFloatArray())
                    .containsExactly(0.12890625f, -0.1201171875f, -0.041748046875f);
            assertThat(TorchOps.squareSum(table)).isCloseTo(520405.2704756928, within(1e-4));
        }
        try (NDManager manager = NDManager.newBaseManager();
                SafetensorsFile file =
                        SafetensorsFile.open(
                                SharedRoot.require(
                                        "golden/peft-adapter/adapter_model.safetensors"))) {
            String name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
            NDArray a = file.read(manager, name);
            assertThat(a.getShape()).isEqualTo(new Shape(4, 64));
            assertThat(a.get("0,:3").toFloatArray())
                    .containsExactly(
                            -0.06667410582304001f, -0.10848043859004974f, -0.12246739119291306f);
        }
    }

    @Test
    void read_allGoldenFiles_readsEveryTensor() throws Exception {
        try (Stream<Path> paths = Files.walk(SharedRoot.require("golden"))) {
            for (Path path : paths.filter(p -> p.toString().endsWith(".safetensors")).toList()) {
                try (NDManager manager = NDManager.newBaseManager();
                        SafetensorsFile file = SafetensorsFile.open(path)) {
                    for (String name : file.names()) {
                        NDArray array = file.read(manager, name);
                        assertThat(array.getShape()).isEqualTo(file.info(name).shape());
                        assertThat(TorchOps.squareSum(array)).as(path + " " + name).isFinite();
                    }
                }
            }
        }
    }

    private Path file(String json, byte[] data) throws IOException {
        byte[] header = json.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(
                ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .array());
        out.write(header);
        out.write(data);
        return Files.write(folder.resolve("file.safetensors"), out.toByteArray());
    }
}
