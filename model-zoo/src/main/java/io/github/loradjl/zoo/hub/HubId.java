package io.github.loradjl.zoo.hub;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a model or an adapter on the hub, and which revision of it: {@code owner/name}, or
 * {@code owner/name@revision} with a branch, a tag or a commit hash; {@code hf://} may stand before
 * it.
 */
public final class HubId {

    /** How a URL on the hub begins. */
    public static final String SCHEME = "hf";

    private static final String MAIN = "main";
    private static final String PART = "[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?";
    private static final Pattern ID =
            Pattern.compile(
                    "(?:"
                            + SCHEME
                            + ":/{1,2})?(?<owner>"
                            + PART
                            + ")/(?<name>"
                            + PART
                            + ")(?:@(?<revision>.+))?");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    // Git's own rules for names, and nothing that climbs out of a folder.
    private static final Pattern REVISION = Pattern.compile("[^\\s\\p{Cntrl}~^:?*\\[\\\\\"<>|]+");
    private static final Pattern SEGMENT = Pattern.compile("[^.].*");

    private final String owner;
    private final String name;
    private final String revision;

    private HubId(String owner, String name, String revision) {
        this.owner = owner;
        this.name = name;
        this.revision = revision;
    }

    /**
     * Reads a name.
     *
     * @param text the name, such as {@code HuggingFaceTB/SmolLM2-135M@main}
     * @return the id; its revision is {@code main} unless given
     * @throws IllegalArgumentException if it is not the name of a repository
     */
    public static HubId parse(String text) {
        Matcher id = match(text);
        if (id == null) {
            throw new IllegalArgumentException(
                    "\""
                            + text
                            + "\" is no name on the hub; write owner/name, or owner/name@revision");
        }
        String revision = id.group("revision");
        return new HubId(id.group("owner"), id.group("name"), revision == null ? MAIN : revision);
    }

    /**
     * Tells whether a text can be read as a name on the hub.
     *
     * @param text the text
     * @return true if {@link #parse} takes it
     */
    public static boolean isHubId(String text) {
        return match(text) != null;
    }

    private static Matcher match(String text) {
        Matcher id = ID.matcher(text);
        if (!id.matches()) {
            return null;
        }
        // Two hyphens stand for the slash in the cache.
        String repository = id.group("owner") + "/" + id.group("name");
        boolean isValid =
                !repository.contains("--")
                        && !repository.contains("..")
                        && !repository.endsWith(".git")
                        && isRevision(id.group("revision"));
        return isValid ? id : null;
    }

    private static boolean isRevision(String revision) {
        if (revision == null) {
            return true;
        }
        if (!REVISION.matcher(revision).matches()
                || revision.contains("..")
                || revision.contains("@{")) {
            return false;
        }
        for (String segment : revision.split("/", -1)) {
            if (!SEGMENT.matcher(segment).matches() || segment.endsWith(".")) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns the name of another revision of the same repository.
     *
     * @param other a branch, a tag or a commit hash
     * @return the name
     * @throws IllegalArgumentException if it is no revision
     */
    public HubId withRevision(String other) {
        return parse(getRepository() + "@" + other);
    }

    /**
     * Tells whether the revision is a commit, which never changes, unlike a branch or a tag.
     *
     * @return true for a commit hash
     */
    public boolean isCommit() {
        return isCommit(revision);
    }

    static boolean isCommit(String revision) {
        return COMMIT.matcher(revision).matches();
    }

    /**
     * Returns whose repository it is.
     *
     * @return a user or an organisation
     */
    public String getOwner() {
        return owner;
    }

    /**
     * Returns the name of the repository, without its owner.
     *
     * @return the name
     */
    public String getName() {
        return name;
    }

    /**
     * Returns the revision.
     *
     * @return a branch, a tag or a commit hash
     */
    public String getRevision() {
        return revision;
    }

    /**
     * Returns the repository without a revision.
     *
     * @return owner and name with a slash between them
     */
    public String getRepository() {
        return owner + "/" + name;
    }

    /** {@inheritDoc} */
    @Override
    public boolean equals(Object other) {
        return other instanceof HubId && toString().equals(other.toString());
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    /**
     * Returns the name as {@link #parse} reads it.
     *
     * @return the name; the revision only if it is not {@code main}
     */
    @Override
    public String toString() {
        return getRepository() + (revision.equals(MAIN) ? "" : "@" + revision);
    }
}
