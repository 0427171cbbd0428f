package io.github.loradjl.zoo.text.evaluate;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/**
 * The result of an evaluation, with what it takes to repeat it.
 *
 * @param n the number of examples, or of tokens for a loss
 * @param metric the name of the metric
 * @param value its value
 * @param standardError the standard error of the value, or null where none is known
 * @param others further metrics by name, in their order
 * @param seed the seed of random draws
 * @param adapter the SHA-256 of the adapter's weights in hexadecimal, or null without an adapter
 * @param model the name of the model
 */
public record Summary(
        long n,
        String metric,
        double value,
        Double standardError,
        Map<String, Double> others,
        long seed,
        String adapter,
        String model) {

    private static final Gson GSON =
            new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

    /**
     * Computes the standard error of a share, sqrt(p (1 - p) / n).
     *
     * @param share p, within 0 and 1
     * @param n the number of examples
     * @return the standard error
     */
    public static double standardError(double share, long n) {
        return Math.sqrt(share * (1 - share) / n);
    }

    /**
     * Computes what tells an adapter from others.
     *
     * @param folder the adapter's folder
     * @return the SHA-256 of its {@code adapter_model.safetensors}, in hexadecimal
     * @throws IOException if the file cannot be read
     */
    public static String adapterHash(Path folder) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
        try (InputStream in = Files.newInputStream(folder.resolve("adapter_model.safetensors"));
                DigestInputStream digested = new DigestInputStream(in, digest)) {
            digested.transferTo(OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /**
     * Writes the summary as one line.
     *
     * @return a JSON object with the keys n, metric, value, standard_error, the other metrics,
     *     seed, adapter and model
     */
    public String toJson() {
        JsonObject json = new JsonObject();
        json.addProperty("n", n);
        json.addProperty("metric", metric);
        json.addProperty("value", value);
        json.addProperty("standard_error", standardError);
        others.forEach(json::addProperty);
        json.addProperty("seed", seed);
        json.addProperty("adapter", adapter);
        json.addProperty("model", model);
        return GSON.toJson(json);
    }
}
