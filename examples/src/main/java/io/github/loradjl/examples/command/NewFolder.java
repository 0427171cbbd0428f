package io.github.loradjl.examples.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Writes a folder beside its place and moves it there when it is whole. */
final class NewFolder {

    private NewFolder() {}

    /** Writes the content of a folder. */
    @FunctionalInterface
    interface Content<T> {

        T writeTo(Path folder) throws IOException;
    }

    /**
     * Writes a folder.
     *
     * @param target the folder, which must not exist or be empty
     * @param content writes the files
     * @return what {@code content} returns
     * @throws IOException if the folder is not empty or writing fails; nothing is left behind
     */
    static <T> T write(Path target, Content<T> content) throws IOException {
        Path folder = target.toAbsolutePath().normalize();
        requireFree(folder, target);
        Path beside = folder.resolveSibling("." + folder.getFileName() + "." + UUID.randomUUID());
        try {
            Files.createDirectories(beside);
            T result = content.writeTo(beside);
            Files.deleteIfExists(folder);
            Files.move(beside, folder);
            return result;
        } finally {
            delete(beside);
        }
    }

    private static void requireFree(Path folder, Path named) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        if (!Files.isDirectory(folder)) {
            throw new IOException("--out " + named + " is a file; name a new folder");
        }
        try (Stream<Path> files = Files.list(folder)) {
            if (files.findAny().isPresent()) {
                throw new IOException(
                        "--out " + named + " is not empty; name a new folder, or empty it");
            }
        }
    }

    /** Deletes a folder with all that is in it, if there is one. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(folder)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.deleteIfExists(path);
        }
    }
}
