package io.github.loradjl.peft;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;

import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.PrivateCopies;
import io.github.loradjl.adapter.StoredWeights;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.IdentityHashMap;
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
     * Computes the fingerprint of a model's base.
     *
     * @param lora the model
     * @param layers the target layers by path
     * @return hexadecimal digits
     */
    static String of(LoraModel lora, Map<String, ? extends Linear> layers) {
        Map<Parameter, Parameter> originals = originals(lora);
        MessageDigest all = sha256();
        new TreeMap<>(layers)
                .forEach(
                        (path, layer) -> {
                            Parameter weight = layer.getDirectParameters().get("weight");
                            NDArray array = originals.getOrDefault(weight, weight).getArray();
                            all.update(path.getBytes(StandardCharsets.UTF_8));
                            all.update((byte) 0);
                            all.update(digest(lora.getBase(), path + ".weight", array));
                        });
        return HexFormat.of().formatHex(all.digest());
    }

    /** An adapter in use may have a copy of its own in the place of a base weight. */
    private static Map<Parameter, Parameter> originals(LoraModel lora) {
        Map<Parameter, Parameter> result = new IdentityHashMap<>();
        for (String name : lora.getAdapters()) {
            PrivateCopies copies = lora.getPrivateCopies(name);
            copies.getParameters()
                    .forEach((path, copy) -> result.put(copy, copies.getOriginals().get(path)));
        }
        return result;
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
