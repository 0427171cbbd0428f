package io.github.loradjl.zoo.hub;

import ai.djl.util.Progress;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Fetches models and adapters from the Hugging Face hub.
 *
 * <pre>
 * Path folder = HubClient.builder().build().snapshot(HubId.parse("HuggingFaceTB/SmolLM2-135M"), null);
 * </pre>
 *
 * <p>Taken are the repository's {@code *.safetensors}, {@code *.json}, {@code *.txt}, {@code *.md}
 * and {@code *.jinja}, not those in folders within it; nothing else, and so nothing that runs. Each
 * is checked against the size and the hash that the hub lists. The cache is that of Python's
 * huggingface_hub, in both directions. A download that broke off goes on where it stopped, several
 * processes wait for each other, and where the hub cannot be reached, what was fetched last is
 * used.
 *
 * <p>The environment is asked first: {@code HF_ENDPOINT}; {@code HF_TOKEN}, or the file that {@code
 * hf auth login} writes ({@code HF_TOKEN_PATH}); {@code HF_HUB_CACHE} or {@code HF_HOME}; {@code
 * HF_HUB_DOWNLOAD_TIMEOUT}; {@code HF_HUB_OFFLINE}, and the switches of {@link OfflineSwitch}. As
 * everywhere in DJL, a system property stands in for an environment variable of its name.
 */
public final class HubClient {

    private static final Logger LOG = LoggerFactory.getLogger(HubClient.class);
    private static final int LONGEST_LISTING = 32 << 20;

    private final URI endpoint;
    private final Path cacheFolder;
    private final HubToken token;
    private final String offline;
    private final int workers;
    private final Duration pause;
    private final HubHttp http;
    private final HubErrors errors;

    private HubClient(Builder builder) {
        endpoint = builder.endpoint;
        cacheFolder = builder.cacheFolder;
        token = builder.token;
        offline = builder.offline;
        workers = builder.workers;
        pause = builder.pause;
        http = new HubHttp(endpoint, token, builder.timeout);
        errors = new HubErrors(endpoint, token);
    }

    /**
     * Returns a builder that holds what the environment says.
     *
     * @return a builder
     * @throws IllegalArgumentException if the environment says what cannot be
     */
    public static Builder builder() {
        return new Builder(new HubEnvironment());
    }

    /**
     * Returns a folder with the files of a model or an adapter, fetched as far as they are missing.
     *
     * <p>A branch or a tag is looked up each time, with one request; a commit never, once it is
     * there.
     *
     * @param id the name
     * @param progress is told the bytes received and to come, if there are any; or null. It may be
     *     called from other threads, by one at a time
     * @return the folder, in the cache; not to be written to
     * @throws HubException if the hub refuses, cannot be reached or sends something wrong, and the
     *     cache does not help; the message says what to do
     * @throws IOException if the cache cannot be read or written
     */
    public Path snapshot(HubId id, Progress progress) throws IOException {
        HubCache cache = new HubCache(cacheFolder, id);
        if (HubId.isCommit(id.getRevision()) && cache.isComplete(id.getRevision())) {
            return cache.snapshot(id.getRevision());
        }
        if (offline != null) {
            Path kept = cache.offline(id);
            if (kept == null) {
                throw new HubException(
                        id
                                + " is not in the cache "
                                + cacheFolder
                                + ", and "
                                + offline
                                + " forbids to fetch it");
            }
            return kept;
        }
        HubListing listing;
        try {
            listing = list(id, cache.commit(id.getRevision()) == null);
        } catch (HubException e) {
            return withoutHub(id, cache, e);
        }
        FileDownload download = new FileDownload(http, errors, cache, pause, id, listing.commit());
        new SnapshotDownload(download, cache, workers).fetch(id, listing, progress);
        cache.keep(id.getRevision(), listing);
        return cache.snapshot(listing.commit());
    }

    /**
     * Returns the folder of a model or an adapter if it is in the cache already.
     *
     * @param id the name
     * @return the folder, as it was fetched last
     * @throws IOException if the cache cannot be read
     */
    public Optional<Path> cached(HubId id) throws IOException {
        HubCache cache = new HubCache(cacheFolder, id);
        String commit = cache.commit(id.getRevision());
        return commit != null && cache.isComplete(commit)
                ? Optional.of(cache.snapshot(commit))
                : Optional.empty();
    }

    private static Path withoutHub(HubId id, HubCache cache, HubException trouble)
            throws IOException {
        Path kept = trouble.isPassing() ? cache.offline(id) : null;
        if (kept == null) {
            throw trouble;
        }
        LOG.warn("{}; taking {} as it was fetched last", trouble.getMessage(), id);
        return kept;
    }

    /** Asks what there is; more than once only if nothing else could be used. */
    private HubListing list(HubId id, boolean insists) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                return list(id);
            } catch (HubException e) {
                if (!e.isPassing() || !insists || attempt >= FileDownload.ATTEMPTS) {
                    throw e;
                }
                FileDownload.rest(pause.multipliedBy(attempt));
            }
        }
    }

    private HubListing list(HubId id) throws IOException {
        String path =
                "/api/models/"
                        + id.getRepository()
                        + "/revision/"
                        + FileDownload.encode(id.getRevision())
                        + "?blobs=true";
        HttpResponse<BodyReader> response = http.get(path, 0);
        try (BodyReader body = response.body()) {
            if (response.statusCode() != 200) {
                throw errors.explain(response, id, null);
            }
            return HubListing.parse(body.text(LONGEST_LISTING), id);
        }
    }

    /**
     * Returns which hub is asked.
     *
     * @return the address, without a slash at its end
     */
    public URI getEndpoint() {
        return endpoint;
    }

    /**
     * Returns where models are kept.
     *
     * @return the folder, perhaps not made yet
     */
    public Path getCacheFolder() {
        return cacheFolder;
    }

    /**
     * Returns where the user's token was found; the token itself is not told.
     *
     * @return the name of a variable or a file, or nothing without a token
     */
    public Optional<String> getTokenSource() {
        return Optional.ofNullable(token).map(HubToken::source);
    }

    /**
     * Returns which switch forbids to use the network.
     *
     * @return the name of a variable or a property, or nothing if the hub may be asked
     */
    public Optional<String> getOfflineSwitch() {
        return Optional.ofNullable(offline);
    }

    /** Builds a {@link HubClient}. */
    public static final class Builder {

        private URI endpoint;
        private Path cacheFolder;
        private HubToken token;
        private String offline;
        private Duration timeout;
        private Duration pause = Duration.ofSeconds(1);
        private int workers = 4;

        Builder(HubEnvironment environment) {
            optEndpoint(environment.endpoint());
            cacheFolder = environment.cache();
            token = environment.token();
            offline = environment.offline();
            timeout = environment.timeout();
        }

        /**
         * Sets which hub to ask.
         *
         * @param address its address, such as {@code https://huggingface.co}
         * @return this builder
         * @throws IllegalArgumentException if it is not an http or https address
         */
        public Builder optEndpoint(String address) {
            try {
                endpoint = new URI(address.replaceAll("/+$", ""));
            } catch (URISyntaxException e) {
                throw wrongEndpoint(address);
            }
            boolean isHttp =
                    "https".equalsIgnoreCase(endpoint.getScheme())
                            || "http".equalsIgnoreCase(endpoint.getScheme());
            if (!isHttp
                    || endpoint.getHost() == null
                    || endpoint.getRawUserInfo() != null
                    || endpoint.getRawQuery() != null
                    || endpoint.getRawFragment() != null) {
                throw wrongEndpoint(address);
            }
            return this;
        }

        /** Messages must not show a password; nor may the syntax error, as a cause. */
        private static IllegalArgumentException wrongEndpoint(String address) {
            return new IllegalArgumentException(
                    "the hub's address (HF_ENDPOINT) is such as https://huggingface.co, not \""
                            + Printable.of(address.replaceFirst(".*@", "...@"))
                            + "\"; a token is given by HF_TOKEN");
        }

        /**
         * Sets where to keep models.
         *
         * @param folder a folder laid out as huggingface_hub does; made if it is missing
         * @return this builder
         */
        public Builder optCacheFolder(Path folder) {
            cacheFolder = folder.toAbsolutePath().normalize();
            return this;
        }

        /**
         * Sets the user's token.
         *
         * @param value the token, or null for none
         * @return this builder
         * @throws IllegalArgumentException if it has characters that no token has
         */
        public Builder optToken(String value) {
            token = HubToken.of(value, "the program");
            return this;
        }

        /**
         * Sets whether to do without the network.
         *
         * @param isOffline true to use only what is in the cache
         * @return this builder
         */
        public Builder optOffline(boolean isOffline) {
            offline = isOffline ? "the program" : null;
            return this;
        }

        /**
         * Sets how long to wait for the hub to say anything, or anything more.
         *
         * @param longest the time
         * @return this builder
         */
        public Builder optTimeout(Duration longest) {
            timeout = longest;
            return this;
        }

        /**
         * Sets how many files to fetch at once.
         *
         * @param number the number, 4 by default
         * @return this builder
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder optWorkers(int number) {
            if (number < 1) {
                throw new IllegalArgumentException("at least 1 worker, not " + number);
            }
            workers = number;
            return this;
        }

        /** Sets how long to rest before the second attempt; the later ones wait longer. */
        Builder optPause(Duration rest) {
            pause = rest;
            return this;
        }

        /**
         * Builds the client.
         *
         * @return the client
         */
        public HubClient build() {
            return new HubClient(this);
        }
    }
}
