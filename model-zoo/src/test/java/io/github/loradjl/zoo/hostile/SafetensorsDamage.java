package io.github.loradjl.zoo.hostile;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;

/** Damage to a safetensors file: to its length, its header or its data. */
final class SafetensorsDamage {

    private SafetensorsDamage() {}

    static Map<String, Damage> all() {
        Map<String, Damage> kinds = TextDamage.all();
        for (long length : new long[] {0, 1, -1, Long.MAX_VALUE, 99_999_999, 1L << 40}) {
            kinds.put("header of " + length, (file, random) -> withLength(file, length));
        }
        JsonDamage.all()
                .forEach(
                        (name, damage) ->
                                kinds.put(
                                        "header, " + name,
                                        (file, random) -> header(file, random, damage)));
        kinds.put("another type", (file, random) -> replaced(file, "\"F32\"", "\"I64\""));
        kinds.put("unknown type", (file, random) -> replaced(file, "\"F32\"", "\"Q4_\""));
        kinds.put("renamed", (file, random) -> replaced(file, "lora_A", "lora_C"));
        kinds.put("other layers", (file, random) -> replaced(file, "layers.0.", "layers.9."));
        kinds.put("embedding", (file, random) -> replaced(file, ".lora_A.", ".lora_embedding_A."));
        kinds.put(
                "huge shape",
                (file, random) -> replaced(file, "\"shape\":[", "\"shape\":[4294967296,"));
        kinds.put(
                "negative shape",
                (file, random) -> replaced(file, "\"shape\":[", "\"shape\":[-1,"));
        kinds.put(
                "negative offset",
                (file, random) -> replaced(file, "_offsets\":[", "_offsets\":[-"));
        kinds.put("trailing bytes", (file, random) -> Arrays.copyOf(file, file.length + 8));
        return kinds;
    }

    private static byte[] withLength(byte[] file, long length) {
        byte[] copy = file.clone();
        ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        return copy;
    }

    private static int length(byte[] file) {
        return (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    }

    private static byte[] header(byte[] file, Random random, Damage damage) throws Exception {
        byte[] header = Arrays.copyOfRange(file, 8, 8 + length(file));
        return withHeader(file, damage.apply(header, random));
    }

    private static byte[] replaced(byte[] file, String from, String to) {
        String header = new String(file, 8, length(file), StandardCharsets.UTF_8);
        return withHeader(file, header.replace(from, to).getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] withHeader(byte[] file, byte[] header) {
        byte[] start = new byte[8];
        ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).putLong(0, header.length);
        return TextDamage.joined(
                start, header, Arrays.copyOfRange(file, 8 + length(file), file.length));
    }
}
