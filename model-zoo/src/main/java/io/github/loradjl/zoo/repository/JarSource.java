package io.github.loradjl.zoo.repository;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** A jar with a repository in it, read as a zip file: no class in it is ever loaded. */
final class JarSource implements Source {

    private final Path jar;

    JarSource(Path jar) {
        this.jar = jar;
    }

    /** {@inheritDoc} */
    @Override
    public List<String> metadataFiles() throws IOException {
        return IndexFile.parse(read(RepositoryLayout.INDEX), jar + ", " + RepositoryLayout.INDEX);
    }

    /** {@inheritDoc} */
    @Override
    public InputStream open(String path) throws IOException {
        ZipFile zip = AdapterArchive.openZip(jar);
        try {
            ZipEntry entry = zip.getEntry(RepositoryLayout.JAR_ROOT + path);
            if (entry == null) {
                throw new IOException(jar + " has no " + RepositoryLayout.JAR_ROOT + path);
            }
            return new FilterInputStream(zip.getInputStream(entry)) {
                @Override
                public void close() throws IOException {
                    zip.close();
                }
            };
        } catch (IOException | RuntimeException e) {
            zip.close();
            throw e;
        }
    }
}
