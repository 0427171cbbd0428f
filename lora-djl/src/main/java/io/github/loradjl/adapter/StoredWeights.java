package io.github.loradjl.adapter;

/**
 * A block that was loaded from a checkpoint and can tell a digest of what the checkpoint stores.
 *
 * <p>An adapter recognises its base by these digests, whatever type the weights were cast to on
 * load.
 */
public interface StoredWeights {

    /**
     * Returns the SHA-256 of the bytes that the checkpoint stores for a parameter.
     *
     * @param parameterPath the dotted path, for instance {@code
     *     model.layers.0.self_attn.q_proj.weight}
     * @return 32 bytes, or null if the checkpoint does not hold the parameter
     */
    byte[] sha256(String parameterPath);

    /** Notes that the weights are no longer those of the checkpoint: there are no digests then. */
    void weightsChanged();
}
