package io.github.loradjl.zoo.hub;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A file on the hub, as the hub lists it.
 *
 * @param path its name in the repository
 * @param size its bytes
 * @param etag what its content must hash to: SHA-256 for large files, and for small ones SHA-1 over
 *     git's header and the content. The cache names the content by it.
 */
record HubFile(String path, long size, String etag) {

    /** More than any file has; sums of these still fit into a long. */
    private static final long LARGEST = 1L << 42;

    private static final Set<String> KINDS = Set.of("safetensors", "json", "txt", "md", "jinja");
    private static final Pattern ETAG = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
    private static final Pattern ABSOLUTE = Pattern.compile("(?:/|[A-Za-z]:).*");
    private static final Pattern ODD = Pattern.compile("[\\p{Cntrl}\\\\:*?\"<>|]");

    /** Tells whether a size and a hash can be a file's. */
    static boolean isValid(Long size, String etag) {
        return size != null
                && size >= 0
                && size <= LARGEST
                && etag != null
                && ETAG.matcher(etag).matches();
    }

    /**
     * Tells whether a loader reads such a file: weights in safetensors, JSON or text, in the
     * repository's own folder. Pickles, scripts and archives are none; nor are the weights that
     * some makers add a second time in a form of their own.
     */
    static boolean isWanted(String path) {
        String kind = path.substring(path.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        return path.indexOf('/') < 0
                && !path.startsWith(".")
                && !ODD.matcher(path).find()
                && KINDS.contains(kind)
                && !(kind.equals("safetensors") && path.startsWith("consolidated"));
    }

    /** Tells whether a name would lead out of the folder that it is written to. */
    static boolean isHostile(String path) {
        if (ABSOLUTE.matcher(path).matches()) {
            return true;
        }
        for (String segment : path.split("[/\\\\]", -1)) {
            if (segment.equals("..")) {
                return true;
            }
        }
        return path.indexOf('\0') >= 0;
    }

    boolean isSha256() {
        return etag.length() == 64;
    }

    boolean isWeights() {
        return path.endsWith(".safetensors");
    }
}
