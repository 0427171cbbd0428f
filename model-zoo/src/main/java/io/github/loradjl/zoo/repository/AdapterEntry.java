package io.github.loradjl.zoo.repository;

import java.util.Map;

/**
 * One version of a published adapter, as its repository describes it.
 *
 * @param groupId who publishes it, such as {@code com.example}
 * @param artifactId its name
 * @param version its version
 * @param description one sentence about it, or null
 * @param license the id of its licence, such as {@code apache-2.0}, or null
 * @param properties what {@code Criteria.optFilter} selects by: {@code base}, {@code method},
 *     {@code rank}, {@code task}, {@code version}
 * @param base where it comes from
 * @param metrics numbers that its training left, by name
 * @param archive where the files are
 */
public record AdapterEntry(
        String groupId,
        String artifactId,
        String version,
        String description,
        String license,
        Map<String, String> properties,
        Base base,
        Map<String, Double> metrics,
        Archive archive) {

    /**
     * The base model that an adapter was trained on.
     *
     * @param id its name in the zoo or on the Hugging Face hub, or null
     * @param revision its revision, or null
     * @param fingerprint SHA-256 over its target weights in hexadecimal digits, or null
     */
    public record Base(String id, String revision, String fingerprint) {}

    /**
     * The zip file of an adapter.
     *
     * @param path its path in the repository
     * @param size its size in bytes
     * @param sha1 its SHA-1 in hexadecimal digits, which DJL checks
     * @param sha256 its SHA-256 in hexadecimal digits, or null
     */
    public record Archive(String path, long size, String sha1, String sha256) {}

    /**
     * Returns the name by which the argument {@code adapter} of a criteria finds this version.
     *
     * @return {@code group:artifact:version}
     */
    public String id() {
        return groupId + ":" + artifactId + ":" + version;
    }

    /**
     * Tells whether this version has all the wanted properties.
     *
     * @param filters wanted values by name, or null
     * @return true if it has
     */
    public boolean matches(Map<String, String> filters) {
        return filters == null
                || filters.entrySet().stream()
                        .allMatch(e -> e.getValue().equals(properties.get(e.getKey())));
    }
}
