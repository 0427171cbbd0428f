package io.github.loradjl.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Packs the source text of one TorchScript class into the archive that LibTorch loads.
 *
 * <p>The format is a zip of stored entries under one folder: the pickled module object, an empty
 * tuple of constants, the format version and the source itself, which LibTorch compiles on load.
 */
final class TorchScriptArchive {

    private static final String FORMAT_VERSION = "10\n";

    private TorchScriptArchive() {}

    /**
     * Builds the archive of a module without parameters.
     *
     * @param className the name of the TorchScript class in {@code source}
     * @param source the class in TorchScript's serialised dialect
     * @return the bytes of the archive
     */
    static byte[] of(String className, String source) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            put(zip, "data.pkl", module(className));
            put(zip, "constants.pkl", emptyTuple());
            put(zip, "version", FORMAT_VERSION.getBytes(StandardCharsets.UTF_8));
            put(zip, "code/__torch__.py", source.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(content);
        ZipEntry entry = new ZipEntry("ops/" + name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    /** Pickles {@code object.__new__(className)} with the state {@code {"training": True}}. */
    private static byte[] module(String className) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(new byte[] {(byte) 0x80, 2}); // protocol 2
        out.write(("c__torch__\n" + className + "\n").getBytes(StandardCharsets.UTF_8));
        out.write(')'); // empty tuple of constructor arguments
        out.write(0x81); // new object
        out.write('}'); // empty dictionary
        out.write('(');
        out.write('X'); // string with its length in four bytes
        byte[] key = "training".getBytes(StandardCharsets.UTF_8);
        out.write(new byte[] {(byte) key.length, 0, 0, 0});
        out.write(key);
        out.write(0x88); // True
        out.write('u'); // set the items of the dictionary
        out.write('b'); // build the object from it
        out.write('.');
        return out.toByteArray();
    }

    private static byte[] emptyTuple() {
        return new byte[] {(byte) 0x80, 2, ')', '.'};
    }
}
