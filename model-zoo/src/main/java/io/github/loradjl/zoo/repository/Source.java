package io.github.loradjl.zoo.repository;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** Where the files of a repository are read from; paths are relative and checked before. */
interface Source {

    /** The most bytes of a file that describes something. */
    int MAX_TEXT = 4 << 20;

    /**
     * Lists the metadata files.
     *
     * @return their paths
     * @throws IOException if they cannot be listed
     */
    List<String> metadataFiles() throws IOException;

    /**
     * Opens a file.
     *
     * @param path its path in the repository
     * @return its bytes, to be closed
     * @throws IOException if it is missing or cannot be read
     */
    InputStream open(String path) throws IOException;

    /**
     * Reads a short file.
     *
     * @param path its path in the repository
     * @return its bytes
     * @throws IOException if it is missing, too long or cannot be read
     */
    default byte[] read(String path) throws IOException {
        try (InputStream in = open(path)) {
            byte[] bytes = in.readNBytes(MAX_TEXT + 1);
            if (bytes.length > MAX_TEXT) {
                throw new IOException(path + " is longer than " + MAX_TEXT + " bytes");
            }
            return bytes;
        }
    }
}
