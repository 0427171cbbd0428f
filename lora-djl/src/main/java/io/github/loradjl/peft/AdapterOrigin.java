package io.github.loradjl.peft;

/**
 * Where a saved adapter comes from, as its files say.
 *
 * @param method how its training began: {@code lora} for PEFT's own start, else the name of the
 *     start, such as {@code lora_ga}
 * @param taskType PEFT's name of the task, such as {@code CAUSAL_LM}, or null
 * @param baseModel the name or path of the base model, or null
 * @param baseRevision the revision of the base model, or null
 * @param baseFingerprint SHA-256 over the base's target weights in hexadecimal digits, or null
 */
public record AdapterOrigin(
        String method,
        String taskType,
        String baseModel,
        String baseRevision,
        String baseFingerprint) {}
