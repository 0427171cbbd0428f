package io.github.loradjl.zoo.hostile;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** Damage to a zip file. */
final class ArchiveDamage {

    private static final byte[] LOCAL = {'P', 'K', 3, 4};
    private static final byte[] CENTRAL = {'P', 'K', 1, 2};

    private ArchiveDamage() {}

    static Map<String, Damage> all() {
        Map<String, Damage> kinds = TextDamage.all();
        for (String name :
                new String[] {
                    "../lora-evil.json",
                    "../../../../../../../../tmp/lora-evil.json",
                    "/tmp/lora-evil.json",
                    "..\\lora-evil.json",
                    "C:\\lora-evil.json",
                    "inside/lora-evil.json",
                    "folder/",
                    ".bashrc",
                    ".",
                    "..",
                    "a\u0000b.json",
                    "a\nb.json",
                    "a:b.json",
                    "ADAPTER_CONFIG.JSON",
                    "x".repeat(3000) + ".json",
                    "\u202ejson.md"
                }) {
            kinds.put("entry " + name, (file, random) -> with(file, name, "{}".getBytes()));
        }
        kinds.put("entry lib/evil.jar", (file, random) -> with(file, "evil.jar", file));
        kinds.put("class", (file, random) -> with(file, "EvilFactory.class", evilClass()));
        kinds.put(
                "serving.properties",
                (file, random) ->
                        with(
                                file,
                                "serving.properties",
                                ("blockFactory=" + EvilFactory.class.getName()).getBytes()));
        kinds.put("bomb", (file, random) -> with(file, "bomb.json", new byte[80 << 20]));
        kinds.put(
                "bomb of weights",
                (file, random) -> with(file, "bomb.safetensors", new byte[130 << 20]));
        kinds.put("many entries", (file, random) -> many(file));
        kinds.put("twice the same name", ArchiveDamage::twice);
        kinds.put("without weights", (file, random) -> without(file, "adapter_model.safetensors"));
        kinds.put("without config", (file, random) -> without(file, "adapter_config.json"));
        kinds.put("without anything", (file, random) -> with(new byte[0], null, null));
        kinds.put("wrong checksum", (file, random) -> patched(file, CENTRAL, 16, 4, random));
        kinds.put("wrong size", (file, random) -> patched(file, CENTRAL, 24, 4, random));
        kinds.put("wrong packed size", (file, random) -> patched(file, CENTRAL, 20, 3, random));
        kinds.put("wrong offset", (file, random) -> patched(file, CENTRAL, 42, 4, random));
        kinds.put("unknown method", (file, random) -> patched(file, CENTRAL, 10, 1, random));
        kinds.put("encrypted", (file, random) -> patched(file, CENTRAL, 8, 1, random));
        kinds.put("wrong name length", (file, random) -> patched(file, CENTRAL, 28, 2, random));
        kinds.put("wrong local header", (file, random) -> patched(file, LOCAL, 26, 2, random));
        kinds.put("gzip", (file, random) -> gzip(file));
        kinds.put(
                "pickle",
                (file, random) ->
                        with(
                                without(file, "adapter_model.safetensors"),
                                "adapter_model.bin",
                                file));
        return kinds;
    }

    private static byte[] evilClass() throws IOException {
        return EvilFactory.class.getResourceAsStream("EvilFactory.class").readAllBytes();
    }

    private static Map<String, byte[]> entries(byte[] file) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(file))) {
            for (ZipEntry e = zip.getNextEntry(); e != null; e = zip.getNextEntry()) {
                entries.put(e.getName(), zip.readAllBytes());
            }
        }
        return entries;
    }

    private static byte[] zip(Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        }
        return out.toByteArray();
    }

    private static byte[] with(byte[] file, String name, byte[] content) throws IOException {
        Map<String, byte[]> entries = entries(file);
        if (name != null) {
            entries.put(name, content);
        }
        return zip(entries);
    }

    static byte[] without(byte[] file, String name) throws IOException {
        Map<String, byte[]> entries = entries(file);
        entries.remove(name);
        return zip(entries);
    }

    private static byte[] many(byte[] file) throws IOException {
        Map<String, byte[]> entries = entries(file);
        for (int i = 0; i < 3000; i++) {
            entries.put("file" + i + ".json", new byte[0]);
        }
        return zip(entries);
    }

    private static byte[] twice(byte[] file, Random random) throws IOException {
        byte[] bytes = with(file, "adapter_confih.json", "{}".getBytes());
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        return text.replace("adapter_confih", "adapter_config")
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Overwrites some bytes of a header. */
    private static byte[] patched(
            byte[] file, byte[] signature, int offset, int length, Random random) {
        byte[] copy = file.clone();
        for (int i = 0; i < copy.length - 46; i++) {
            boolean isHeader = true;
            for (int k = 0; k < signature.length; k++) {
                isHeader = isHeader && copy[i + k] == signature[k];
            }
            for (int k = 0; isHeader && k < length; k++) {
                copy[i + offset + k] ^= (byte) (1 + random.nextInt(255));
            }
            if (isHeader && random.nextBoolean()) {
                return copy;
            }
        }
        return copy;
    }

    private static byte[] gzip(byte[] file) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(file);
        }
        return out.toByteArray();
    }
}
