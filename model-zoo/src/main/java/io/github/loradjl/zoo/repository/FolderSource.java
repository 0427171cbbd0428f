package io.github.loradjl.zoo.repository;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A folder on the disk. Links out of it are not followed. */
final class FolderSource implements Source {

    private static final int MAX_DEPTH = 24;

    private final Path root;

    FolderSource(Path root) {
        this.root = root;
    }

    /** {@inheritDoc} */
    @Override
    public List<String> metadataFiles() throws IOException {
        Path models = root.resolve(RepositoryLayout.MODELS);
        if (!Files.isDirectory(models)) {
            throw new IOException(
                    root + " is no repository: it has no folder " + RepositoryLayout.MODELS);
        }
        try (Stream<Path> files = Files.walk(models, MAX_DEPTH)) {
            return files.filter(f -> f.endsWith(RepositoryLayout.METADATA))
                    .map(f -> root.relativize(f).toString().replace('\\', '/'))
                    .sorted()
                    .toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** {@inheritDoc} */
    @Override
    public InputStream open(String path) throws IOException {
        Path file = root.resolve(path);
        if (!Files.isRegularFile(file)) {
            throw new NoSuchFileException(file.toString(), null, "is not in the repository");
        }
        if (!file.toRealPath().startsWith(root.toRealPath())) {
            throw new IOException(file + " is a link out of the repository");
        }
        return Files.newInputStream(file);
    }
}
