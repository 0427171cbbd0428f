package io.github.loradjl.peft;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.nn.Block;

import io.github.loradjl.adapter.StoredWeights;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * Recognises a base by its target weights: the SHA-256 over, for each target in the order of paths,
 * the path, a zero byte, and the SHA-256 of the weight.
 *
 * <p>Of a block that knows its checkpoint ({@link StoredWeights}) the digest is that of the stored
 * bytes, whatever type they were cast to on load; of any other it is that of the weight as float32.
 */
final class Fingerprint {

    private static final long CHUNK = 1 << 20;

    private Fingerprint() {}

    /**
     * Computes a fingerprint.
     *
     * @param base the root block
     * @param weights the frozen target weights by the path of their layer
     * @return hexadecimal digits
     */
    static String of(Block base, Map<String, NDArray> weights) {
        MessageDigest all = sha256();
        new TreeMap<>(weights)
                .forEach(
                        (path, weight) -> {
                            all.update(path.getBytes(StandardCharsets.UTF_8));
                            all.update((byte) 0);
                            all.update(digest(base, path + ".weight", weight));
                        });
        return HexFormat.of().formatHex(all.digest());
    }

    private static byte[] digest(Block base, String parameter, NDArray weight) {
        if (base instanceof StoredWeights stored) {
            byte[] digest = stored.sha256(parameter);
            if (digest != null) {
                return digest;
            }
        }
        return digest(weight);
    }

    private static byte[] digest(NDArray weight) {
        MessageDigest digest = sha256();
        long size = weight.size();
        try (GradientMode mode = GradientMode.off();
                NDManager scope = weight.getManager().newSubManager()) {
            NDArray flat = TorchOps.alias(weight, scope).reshape(-1);
            for (long start = 0; start < size; start += CHUNK) {
                String range = start + ":" + Math.min(start + CHUNK, size);
                try (NDManager step = scope.newSubManager()) {
                    NDArray piece = flat.get(step, new NDIndex(range));
                    piece.attach(step);
                    NDArray floats = TorchOps.toFloat32(piece).toDevice(Device.cpu(), false);
                    digest.update(floats.toByteBuffer(false));
                }
            }
        }
        return digest.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
