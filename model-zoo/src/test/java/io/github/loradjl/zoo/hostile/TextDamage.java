package io.github.loradjl.zoo.hostile;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Damage that any file may have. */
final class TextDamage {

    private TextDamage() {}

    static Map<String, Damage> all() {
        Map<String, Damage> kinds = new LinkedHashMap<>();
        kinds.put("empty", (file, random) -> new byte[0]);
        kinds.put("truncated", (file, random) -> Arrays.copyOf(file, random.nextInt(file.length)));
        kinds.put("one byte only", (file, random) -> Arrays.copyOf(file, 1));
        kinds.put("flipped bits", TextDamage::flipped);
        kinds.put("cut in the middle", (file, random) -> spliced(file, random, new byte[0], 40));
        kinds.put(
                "garbage in the middle",
                (file, random) -> {
                    byte[] garbage = new byte[1 + random.nextInt(60)];
                    random.nextBytes(garbage);
                    return spliced(file, random, garbage, 0);
                });
        kinds.put(
                "noise",
                (file, random) -> {
                    byte[] noise = new byte[file.length];
                    random.nextBytes(noise);
                    return noise;
                });
        kinds.put("no UTF-8", (file, random) -> spliced(file, random, new byte[] {-1, -2}, 0));
        kinds.put("zeros", (file, random) -> new byte[file.length]);
        kinds.put("zero bytes inside", (file, random) -> spliced(file, random, new byte[9], 0));
        kinds.put("byte order mark", (file, random) -> joined(new byte[] {-17, -69, -65}, file));
        kinds.put(
                "UTF-16",
                (file, random) ->
                        new String(file, StandardCharsets.ISO_8859_1)
                                .getBytes(StandardCharsets.UTF_16));
        kinds.put("twice", (file, random) -> joined(file, file));
        kinds.put(
                "a part twice",
                (file, random) -> {
                    int from = random.nextInt(file.length);
                    int to = Math.min(file.length, from + 1 + random.nextInt(50));
                    return joined(
                            Arrays.copyOf(file, to), Arrays.copyOfRange(file, from, file.length));
                });
        kinds.put("a web page", (file, random) -> "<!DOCTYPE html><html>404".getBytes());
        kinds.put(
                "a git pointer",
                (file, random) -> "version https://git-lfs/v1\noid a\n".getBytes());
        return kinds;
    }

    private static byte[] flipped(byte[] file, Random random) {
        byte[] copy = file.clone();
        for (int i = 0; i < 3; i++) {
            copy[random.nextInt(copy.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return copy;
    }

    static byte[] spliced(byte[] file, Random random, byte[] inside, int left) {
        int at = random.nextInt(file.length);
        byte[] head = joined(Arrays.copyOf(file, at), inside);
        int rest = Math.min(file.length, at + left);
        return joined(head, Arrays.copyOfRange(file, rest, file.length));
    }

    static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
