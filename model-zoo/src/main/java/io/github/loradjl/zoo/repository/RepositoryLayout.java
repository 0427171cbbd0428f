package io.github.loradjl.zoo.repository;

import ai.djl.Application;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.regex.Pattern;

/**
 * Where things stand in a repository, as DJL lays it out: {@code
 * model/nlp/text_generation/GROUP/ARTIFACT/metadata.json}, beside it a folder for each version.
 */
public final class RepositoryLayout {

    /** The list of all metadata files, for readers that cannot list folders. */
    public static final String INDEX = "lora-index.json";

    /** The name of the file that describes an artifact. */
    public static final String METADATA = "metadata.json";

    /** The folder that is a repository in a jar. */
    public static final String JAR_ROOT = "META-INF/lora-djl/";

    /** The folder of all models. */
    static final String MODELS = "model";

    /** The application under which adapters stand. */
    public static final Application APPLICATION = Application.NLP.TEXT_GENERATION;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,99}");
    private static final Pattern GROUP =
            Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]*(\\.[A-Za-z0-9][A-Za-z0-9_-]*)*");

    private RepositoryLayout() {}

    /**
     * Returns the folder of an artifact.
     *
     * @param groupId the group
     * @param artifactId the artifact
     * @return the path in the repository, with a slash at the end
     */
    public static String folder(String groupId, String artifactId) {
        return MODELS
                + "/"
                + APPLICATION.getPath()
                + "/"
                + groupId.replace('.', '/')
                + "/"
                + artifactId
                + "/";
    }

    /**
     * Returns the path of an archive below the folder of its artifact.
     *
     * @param artifactId the artifact
     * @param version the version
     * @return the path
     */
    public static String archive(String artifactId, String version) {
        return version + "/" + artifactId + "-" + version + ".zip";
    }

    /**
     * Tells whether a text can be a group id.
     *
     * @param text the text
     * @return true for names with dots between them
     */
    public static boolean isGroup(String text) {
        return text.length() <= 200 && GROUP.matcher(text).matches();
    }

    /**
     * Tells whether a text can be an artifact id or a version, and so a file name anywhere.
     *
     * @param text the text
     * @return true for letters, digits, dots, hyphens, underscores and plus signs
     */
    public static boolean isName(String text) {
        return NAME.matcher(text).matches() && !text.endsWith(".");
    }

    /**
     * Orders versions: numbers by their size, everything else by its letters, a part that is
     * missing first.
     *
     * @return the order
     */
    public static Comparator<String> versionOrder() {
        return RepositoryLayout::compareVersions;
    }

    private static int compareVersions(String one, String other) {
        String[] left = one.split("[.+_-]");
        String[] right = other.split("[.+_-]");
        for (int i = 0; i < Math.min(left.length, right.length); i++) {
            boolean areNumbers = left[i].matches("\\d{1,18}") && right[i].matches("\\d{1,18}");
            int order =
                    areNumbers
                            ? Long.compare(Long.parseLong(left[i]), Long.parseLong(right[i]))
                            : left[i].compareTo(right[i]);
            if (order != 0) {
                return order;
            }
        }
        int order = Integer.compare(left.length, right.length);
        return order != 0 ? order : one.compareTo(other);
    }

    /**
     * Resolves what a metadata file says against its folder.
     *
     * @param folder the folder, with a slash at the end
     * @param path a relative path
     * @return the path in the repository
     * @throws IOException if the path is absolute, a URL, leaves the repository or has signs that
     *     file systems read in different ways
     */
    static String resolve(String folder, String path) throws IOException {
        if (path.isEmpty() || path.startsWith("/") || !path.matches("[A-Za-z0-9._+/-]{1,500}")) {
            throw new IOException(
                    "'"
                            + shortened(path)
                            + "' is no path within a repository; it takes letters, digits, dots,"
                            + " hyphens, underscores and slashes");
        }
        Deque<String> parts = new ArrayDeque<>();
        for (String part : (folder + path).split("/")) {
            if ("..".equals(part)) {
                if (parts.isEmpty()) {
                    throw new IOException("'" + path + "' leads out of the repository");
                }
                parts.removeLast();
            } else if (!part.isEmpty() && !".".equals(part)) {
                parts.addLast(part);
            }
        }
        if (parts.isEmpty()) {
            throw new IOException("'" + path + "' names no file");
        }
        return String.join("/", parts);
    }

    /** Shows a URL without what may be a user and password; rather too little than too much. */
    static String withoutLogin(String url) {
        return url.replaceFirst("//.*@", "//");
    }

    /**
     * Shows what a stranger wrote without letting it fill the screen.
     *
     * @param text the text
     * @return the beginning of it, on one line
     */
    public static String shortened(String text) {
        String line = text.replaceAll("\\p{Cntrl}", "?");
        return line.length() <= 80 ? line : line.substring(0, 80) + "...";
    }
}
