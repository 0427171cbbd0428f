package io.github.loradjl.zoo.repository;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * The zip file of an adapter: safetensors, json and text, side by side.
 *
 * <p>Written, its bytes depend on nothing but the names and contents of the files: entries in the
 * order of names, stored, all of one date. Read, nothing lands outside the folder, because an entry
 * with a path is refused; nothing but the three kinds is unpacked; and no entry may grow beyond
 * what the archive's size allows.
 */
public final class AdapterArchive {

    private static final Logger logger = LoggerFactory.getLogger(AdapterArchive.class);

    /** A date that zip files hold without a time zone. */
    private static final LocalDateTime DATE = LocalDateTime.of(1980, 2, 1, 0, 0);

    private static final Set<String> KINDS = Set.of("safetensors", "json", "md", "txt", "jinja");
    private static final int MAX_ENTRIES = 1000;
    private static final long MAX_TEXT = 64 << 20;

    /** Weights hardly shrink; a few zeros in padded ones may. */
    private static final int MAX_GROWTH = 20;

    private AdapterArchive() {}

    /**
     * Tells whether a file of an adapter's folder is published.
     *
     * @param name the name of the file
     * @return true for safetensors, json and text
     */
    public static boolean isTaken(String name) {
        int dot = name.lastIndexOf('.');
        return !name.startsWith(".")
                && (dot > 0 && KINDS.contains(name.substring(dot + 1).toLowerCase(Locale.ROOT))
                        || "LICENSE".equals(name)
                        || "NOTICE".equals(name));
    }

    /**
     * Writes an archive.
     *
     * @param files contents by name
     * @param target the file to write
     * @throws IOException if reading or writing fails
     */
    public static void write(Map<String, Path> files, Path target) throws IOException {
        try (OutputStream out = Files.newOutputStream(target);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, Path> file : new TreeMap<>(files).entrySet()) {
                putStored(zip, file.getKey(), file.getValue());
            }
        }
    }

    /**
     * Adds an entry that is stored as it is, because what a compressor makes of it depends on its
     * version.
     *
     * @param zip the archive
     * @param name the name of the entry
     * @param file the content
     * @throws IOException if reading or writing fails
     */
    public static void putStored(ZipOutputStream zip, String name, Path file) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(Files.size(file));
        entry.setCrc(crc(file));
        entry.setTimeLocal(DATE);
        zip.putNextEntry(entry);
        Files.copy(file, zip);
        zip.closeEntry();
    }

    private static long crc(Path file) throws IOException {
        CRC32 crc = new CRC32();
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                crc.update(buffer, 0, n);
            }
        }
        return crc.getValue();
    }

    /** Opens a zip file, with one kind of exception for all that can be wrong with it. */
    static ZipFile openZip(Path file) throws IOException {
        try {
            return new ZipFile(file.toFile());
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException(file + " is not a whole zip file: " + e.getMessage(), e);
        }
    }

    /**
     * Unpacks an archive.
     *
     * @param archive the zip file
     * @param folder an existing, empty folder
     * @throws IOException if the archive is damaged or holds something that has no place in an
     *     adapter; the folder may then hold a part of it
     */
    public static void unpack(Path archive, Path folder) throws IOException {
        long room = MAX_TEXT + MAX_GROWTH * Files.size(archive);
        List<String> left = new ArrayList<>();
        try (ZipFile zip = openZip(archive)) {
            Set<String> names = new HashSet<>();
            Enumeration<? extends ZipEntry> entries = zip.entries();
            while (entries.hasMoreElements()) {
                ZipEntry entry = entries.nextElement();
                String name = entry.getName();
                check(archive, name, names);
                if (isTaken(name)) {
                    room -= unpack(zip, entry, folder.resolve(name), room);
                } else {
                    left.add(name);
                }
            }
        } catch (IllegalArgumentException e) {
            throw new IOException(archive + " is damaged: " + e.getMessage(), e);
        }
        if (!left.isEmpty()) {
            logger.warn(
                    "{}: only safetensors, json and text are taken; left out are {}",
                    archive,
                    left);
        }
    }

    private static void check(Path archive, String name, Set<String> names) throws IOException {
        if (!RepositoryLayout.isName(name)) {
            throw new IOException(
                    archive
                            + " holds '"
                            + RepositoryLayout.shortened(name)
                            + "'; an adapter's files stand side by side and have plain names");
        }
        // Two names may be one on some disks.
        if (!names.add(name.toLowerCase(Locale.ROOT))) {
            throw new IOException(archive + " holds " + name + " twice");
        }
        if (names.size() > MAX_ENTRIES) {
            throw new IOException(archive + " holds more than " + MAX_ENTRIES + " files");
        }
    }

    private static long unpack(ZipFile zip, ZipEntry entry, Path target, long room)
            throws IOException {
        String where = zip.getName() + ", " + entry.getName();
        boolean isWeights = entry.getName().endsWith(".safetensors");
        long allowed = isWeights ? room : Math.min(room, MAX_TEXT);
        long written = 0;
        CRC32 crc = new CRC32();
        byte[] buffer = new byte[1 << 16];
        try (InputStream in = zip.getInputStream(entry);
                OutputStream out = Files.newOutputStream(target, StandardOpenOption.CREATE_NEW)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                written += n;
                if (written > allowed) {
                    throw new IOException("it unpacks to more than " + allowed + " bytes");
                }
                crc.update(buffer, 0, n);
                out.write(buffer, 0, n);
            }
        } catch (IOException e) {
            throw new IOException(where + " cannot be unpacked: " + e.getMessage(), e);
        }
        // A ZipFile does not look at the sum by itself.
        if (written != entry.getSize() || crc.getValue() != entry.getCrc()) {
            throw new IOException(where + " is damaged: its size or its checksum is wrong");
        }
        return written;
    }
}
