package io.github.loradjl.zoo.llama;

import com.google.gson.JsonObject;
import io.github.loradjl.zoo.block.ConfigReader;

import java.util.Set;

/**
 * How the angles of the rotary position embedding grow with the position: frequency i of a head of
 * width d is theta<sup>-2i/d</sup>, possibly slowed down to reach longer contexts.
 *
 * <ul>
 *   <li>{@code default}: the frequencies as they are.
 *   <li>{@code linear}: all divided by {@code factor}.
 *   <li>{@code llama3}: those whose wavelength exceeds {@code originalLength / lowFrequencyFactor}
 *       divided by {@code factor}, those below {@code originalLength / highFrequencyFactor} kept,
 *       and a linear blend between.
 * </ul>
 *
 * @see <a href="https://arxiv.org/abs/2104.09864">RoFormer</a>
 */
record Rope(
        String type,
        double theta,
        double factor,
        double lowFrequencyFactor,
        double highFrequencyFactor,
        double originalLength) {

    private static final double DEFAULT_THETA = 10000;
    private static final Set<String> KEYS =
            Set.of(
                    "type",
                    "rope_type",
                    "rope_theta",
                    "factor",
                    "low_freq_factor",
                    "high_freq_factor",
                    "original_max_position_embeddings",
                    "partial_rotary_factor");

    /** Reads either spelling: rope_parameters, or rope_theta beside rope_scaling. */
    static Rope read(ConfigReader config) {
        double theta = config.number("rope_theta", DEFAULT_THETA);
        String key = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
        if (!config.has(key)) {
            return new Rope("default", theta, 1, 1, 1, 1);
        }
        JsonObject object = config.object(key);
        for (String inner : object.keySet()) {
            if (!KEYS.contains(inner)) {
                throw new IllegalArgumentException(
                        "\"" + inner + "\" in " + key + " of config.json is not supported");
            }
        }
        ConfigReader rope = new ConfigReader(object);
        String type = rope.text("rope_type", rope.text("type", "default"));
        theta = rope.number("rope_theta", theta);
        if (rope.number("partial_rotary_factor", 1) != 1) {
            throw new IllegalArgumentException(
                    "partial_rotary_factor in " + key + " of config.json is not supported");
        }
        switch (type) {
            case "default":
                return new Rope(type, theta, 1, 1, 1, 1);
            case "linear":
                return new Rope(type, theta, needed(rope, key, "factor"), 1, 1, 1);
            case "llama3":
                return new Rope(
                        type,
                        theta,
                        needed(rope, key, "factor"),
                        needed(rope, key, "low_freq_factor"),
                        needed(rope, key, "high_freq_factor"),
                        needed(rope, key, "original_max_position_embeddings"));
            default:
                throw new IllegalArgumentException(
                        "rope type \""
                                + type
                                + "\" is not supported; only default, linear and llama3 are");
        }
    }

    private static double needed(ConfigReader rope, String parent, String key) {
        double value = rope.number(key, Double.NaN);
        if (!(value > 0)) {
            throw new IllegalArgumentException(
                    parent + " of config.json needs a positive \"" + key + "\"");
        }
        return value;
    }

    /**
     * Computes the angle per position of each pair of a head. Each step rounds to float32, as the
     * models were trained: at position 8000 the difference would be visible in the cosine.
     */
    float[] frequencies(int headSize) {
        float[] frequencies = new float[headSize / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float exponent = (float) (2 * i) / headSize;
            float frequency = 1f / (float) Math.pow((float) theta, exponent);
            frequencies[i] = scale(frequency);
        }
        return frequencies;
    }

    private float scale(float frequency) {
        if ("linear".equals(type)) {
            return frequency / (float) factor;
        }
        if (!"llama3".equals(type)) {
            return frequency;
        }
        float wavelength = (float) (2 * Math.PI) / frequency;
        if (wavelength > originalLength / lowFrequencyFactor) {
            return frequency / (float) factor;
        }
        if (wavelength < originalLength / highFrequencyFactor) {
            return frequency;
        }
        float smooth =
                ((float) originalLength / wavelength - (float) lowFrequencyFactor)
                        / (float) (highFrequencyFactor - lowFrequencyFactor);
        return (1 - smooth) * frequency / (float) factor + smooth * frequency;
    }
}
