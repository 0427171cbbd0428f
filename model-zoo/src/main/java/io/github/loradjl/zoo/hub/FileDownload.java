package io.github.loradjl.zoo.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Fetches a file of a commit into the cache, from where an earlier attempt broke off. */
final class FileDownload {

    /** How often to ask again without a single byte more. */
    static final int ATTEMPTS = 5;

    private static final Pattern RANGE = Pattern.compile("bytes (\\d+)-\\d+/(\\d+|\\*)");

    private final HubHttp http;
    private final HubErrors errors;
    private final HubCache cache;
    private final Duration pause;
    private final HubId id;
    private final String commit;

    FileDownload(
            HubHttp http,
            HubErrors errors,
            HubCache cache,
            Duration pause,
            HubId id,
            String commit) {
        this.http = http;
        this.errors = errors;
        this.cache = cache;
        this.pause = pause;
        this.id = id;
        this.commit = commit;
    }

    /** Fetches a file, unless another process or another revision has brought it. */
    void fetch(HubFile file, Meter meter) throws IOException {
        try (HubLock lock = HubLock.acquire(cache.lock(file), file.path() + " of " + id)) {
            if (cache.hasBlob(file)) {
                meter.add(file.size());
            } else {
                download(file, meter);
            }
            if (!cache.has(commit, file)) {
                cache.link(commit, file);
            }
        }
    }

    private void download(HubFile file, Meter meter) throws IOException {
        try (PartialFile part = new PartialFile(cache.part(file), file)) {
            boolean isResumed = part.size() > 0;
            meter.add(part.size());
            complete(part, file, meter);
            String etag = part.etag();
            if (!etag.equals(file.etag()) && isResumed) {
                // What had been left behind may be to blame.
                restart(part, meter);
                complete(part, file, meter);
                etag = part.etag();
            }
            if (!etag.equals(file.etag())) {
                restart(part, meter);
                throw new HubException(
                        file.path()
                                + " of "
                                + id
                                + " came with the hash "
                                + etag
                                + " where the hub lists "
                                + file.etag()
                                + "; it was not kept. Try again; if that does not help, something"
                                + " between here and the hub changes files");
            }
            part.moveTo(cache.blob(file));
        }
    }

    /** Receives until everything is there, asking again after what may pass. */
    private void complete(PartialFile part, HubFile file, Meter meter) throws IOException {
        long most = part.size();
        for (int failures = 0; !part.isWhole(); ) {
            try {
                receive(part, file, meter);
            } catch (HubException e) {
                failures = part.size() > most ? 1 : failures + 1;
                most = Math.max(most, part.size());
                if (!e.isPassing()) {
                    throw e;
                }
                if (failures >= ATTEMPTS) {
                    throw e.withMore(
                            "; gave up on "
                                    + file.path()
                                    + " of "
                                    + id
                                    + " after "
                                    + ATTEMPTS
                                    + " attempts, the same again goes on from here");
                }
                rest(pause.multipliedBy(failures));
            }
        }
    }

    private void receive(PartialFile part, HubFile file, Meter meter) throws IOException {
        String path = "/" + id.getRepository() + "/resolve/" + commit + "/" + encode(file.path());
        HttpResponse<BodyReader> response = http.get(path, part.size());
        try (BodyReader body = response.body()) {
            switch (response.statusCode()) {
                case 200:
                    // All of it, though a range may have been asked for.
                    restart(part, meter);
                    break;
                case 206:
                    checkRange(response, part, file, meter);
                    break;
                case 416:
                    restart(part, meter);
                    throw HubException.passing("the hub has no such part of " + file.path(), null);
                default:
                    throw errors.explain(response, id, file.path());
            }
            for (ByteBuffer piece = body.next(); piece != null; piece = body.next()) {
                int length = piece.remaining();
                part.append(piece);
                meter.add(length);
            }
            if (!part.isWhole()) {
                throw HubException.passing(
                        file.path() + " broke off after " + part.size() + " bytes", null);
            }
        }
    }

    private void checkRange(HttpResponse<?> response, PartialFile part, HubFile file, Meter meter)
            throws IOException {
        Matcher range = RANGE.matcher(response.headers().firstValue("Content-Range").orElse(""));
        boolean isAsked =
                range.matches()
                        && range.group(1).equals(Long.toString(part.size()))
                        && (range.group(2).equals("*")
                                || range.group(2).equals(Long.toString(file.size())));
        if (!isAsked) {
            restart(part, meter);
            throw HubException.passing("the hub sent another part of " + file.path(), null);
        }
    }

    private void restart(PartialFile part, Meter meter) throws IOException {
        meter.add(-part.size());
        part.restart();
    }

    static void rest(Duration pause) throws InterruptedIOException {
        try {
            TimeUnit.MILLISECONDS.sleep(pause.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted between two attempts");
        }
    }

    /** Encodes a name as a segment of a path. */
    static String encode(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
