package io.github.loradjl.zoo.repository;

import ai.djl.util.ClassLoaderUtils;
import ai.djl.util.Progress;

import io.github.loradjl.zoo.hub.HubClient;
import io.github.loradjl.zoo.hub.HubId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The repositories that this program knows: those on the class path, those of the system property
 * {@value #PROPERTY} and those that were added.
 */
public final class AdapterRepositories {

    /** A system property: folders, jars or URLs of repositories with commas between them. */
    public static final String PROPERTY = "lora.djl.repositories";

    private static final Logger logger = LoggerFactory.getLogger(AdapterRepositories.class);

    private static final Map<String, AdapterRepository> KNOWN = new LinkedHashMap<>();
    private static final Map<String, String> UNREADABLE = new LinkedHashMap<>();
    private static boolean isSearched;

    private AdapterRepositories() {}

    /** An adapter, and where it is. */
    public record Found(AdapterRepository repository, AdapterEntry entry) {

        /**
         * Fetches the adapter, unless it is in the cache already.
         *
         * @return its folder
         * @throws IOException as {@link AdapterRepository#fetch}
         */
        public Path fetch() throws IOException {
            return repository.fetch(entry);
        }
    }

    /**
     * A repository that this program was told of.
     *
     * @param location where it is, as it was given
     * @param repository the repository, or null if it does not open
     * @param problems what is wrong with it, if anything
     */
    public record Configured(
            String location, AdapterRepository repository, List<String> problems) {}

    /**
     * Adds a repository, or reads one again.
     *
     * @param location a folder, a jar or a URL with file, http or https
     * @return the repository
     * @throws IOException if it cannot be read
     */
    public static synchronized AdapterRepository add(String location) throws IOException {
        AdapterRepository repository = AdapterRepository.open(location);
        KNOWN.put(location, repository);
        UNREADABLE.remove(location);
        return repository;
    }

    /**
     * Forgets a repository.
     *
     * @param location as it was added
     */
    public static synchronized void remove(String location) {
        KNOWN.remove(location);
    }

    /**
     * Lists the repositories, those that do not open too.
     *
     * @return the repositories
     */
    public static synchronized List<Configured> configured() {
        search();
        List<Configured> configured = new ArrayList<>();
        KNOWN.forEach(
                (location, repository) ->
                        configured.add(
                                new Configured(location, repository, repository.getProblems())));
        UNREADABLE.forEach(
                (location, problem) ->
                        configured.add(new Configured(location, null, List.of(problem))));
        return configured;
    }

    /**
     * Lists all adapters of all repositories, those of one name oldest first.
     *
     * @return the adapters
     */
    public static synchronized List<Found> list() {
        search();
        List<Found> found = new ArrayList<>();
        for (AdapterRepository repository : KNOWN.values()) {
            repository.getEntries().forEach(entry -> found.add(new Found(repository, entry)));
        }
        return found;
    }

    /** Looks, once, where a program says that repositories are. */
    private static void search() {
        if (isSearched) {
            return;
        }
        isSearched = true;
        for (URL index : onClassPath()) {
            try {
                KNOWN.put(index.toString(), AdapterRepository.onClassPath(index));
            } catch (IOException e) {
                UNREADABLE.put(index.toString(), e.getMessage());
                logger.warn("{} is left out: {}", index, e.getMessage());
            }
        }
        for (String location : System.getProperty(PROPERTY, "").split(",")) {
            try {
                if (!location.isBlank()) {
                    add(location.strip());
                }
            } catch (IOException e) {
                String shown = RepositoryLayout.withoutLogin(location.strip());
                UNREADABLE.put(shown, e.getMessage());
                logger.warn("{}: {} is left out: {}", PROPERTY, shown, e.getMessage());
            }
        }
    }

    private static List<URL> onClassPath() {
        String index = RepositoryLayout.JAR_ROOT + RepositoryLayout.INDEX;
        try {
            return Collections.list(ClassLoaderUtils.getContextClassLoader().getResources(index));
        } catch (IOException e) {
            logger.warn("repositories on the class path are left out: {}", e.getMessage());
            return List.of();
        }
    }

    /**
     * Finds an adapter by its id: of several versions the newest.
     *
     * @param id {@code [group:]artifact[:version]}; with one colon, group and artifact
     * @return the adapter
     * @throws IOException if there is none, or several groups have one of the name
     */
    public static Found find(String id) throws IOException {
        String[] parts = id.split(":", -1);
        String group = parts.length > 1 ? parts[0] : null;
        String artifact = parts[parts.length > 1 ? 1 : 0];
        String version = parts.length > 2 ? parts[2] : null;
        List<Found> matching =
                list().stream()
                        .filter(f -> group == null || group.equals(f.entry().groupId()))
                        .filter(f -> artifact.equals(f.entry().artifactId()))
                        .filter(f -> version == null || version.equals(f.entry().version()))
                        .toList();
        TreeSet<String> groups = new TreeSet<>();
        matching.forEach(f -> groups.add(f.entry().groupId()));
        if (parts.length > 3 || matching.isEmpty()) {
            throw new IOException(
                    "there is no adapter "
                            + id
                            + ": it is neither a folder nor the id group:artifact:version of one in"
                            + " a known repository"
                            + known()
                            + "; one of the Hugging Face hub is written owner/name");
        }
        if (groups.size() > 1) {
            throw new IOException(
                    "adapter " + id + " is published by " + groups + "; write group:" + artifact);
        }
        return newest(matching);
    }

    /**
     * Returns the newest version.
     *
     * @param found versions of one adapter, at least one
     * @return the newest
     */
    public static Found newest(List<Found> found) {
        return Collections.max(
                found,
                (one, other) ->
                        RepositoryLayout.versionOrder()
                                .compare(one.entry().version(), other.entry().version()));
    }

    /**
     * Fetches an adapter by its id, or from the Hugging Face hub by its name there.
     *
     * @param id as in {@link #find}, or {@code owner/name[@revision]}
     * @param progress is told of a download from the hub; or null
     * @return its folder, in the cache of DJL or of the hub
     * @throws IOException if there is none, or it cannot be fetched
     */
    public static Path fetch(String id, Progress progress) throws IOException {
        return HubId.isHubId(id)
                ? HubClient.builder().build().snapshot(HubId.parse(id), progress)
                : find(id).fetch();
    }

    private static synchronized String known() {
        return KNOWN.isEmpty()
                ? "; add one by LoraModelZoo.addRepository or -D" + PROPERTY
                : " " + KNOWN.keySet();
    }
}
