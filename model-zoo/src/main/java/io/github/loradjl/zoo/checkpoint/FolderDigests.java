package io.github.loradjl.zoo.checkpoint;

import io.github.loradjl.adapter.StoredWeights;
import io.github.loradjl.safetensors.Safetensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Digests of the tensors in a folder, each computed when it is first asked for. */
final class FolderDigests implements StoredWeights {

    private final Path folder;
    private final Map<String, byte[]> digests = new ConcurrentHashMap<>();

    FolderDigests(Path folder) {
        this.folder = folder;
    }

    /** {@inheritDoc} */
    @Override
    public byte[] sha256(String parameterPath) {
        byte[] digest = digests.computeIfAbsent(parameterPath, this::compute);
        return digest == null ? null : digest.clone();
    }

    /** {@inheritDoc} */
    @Override
    public void weightsChanged() {
        throw new UnsupportedOperationException("a folder does not follow the weights of a model");
    }

    private byte[] compute(String name) {
        try (Safetensors tensors = Safetensors.open(folder)) {
            return tensors.names().contains(name) ? tensors.sha256(name) : null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
