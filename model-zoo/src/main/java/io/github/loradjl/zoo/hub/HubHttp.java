package io.github.loradjl.zoo.hub;

import java.io.InterruptedIOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Asks over HTTP. The token goes to the hub alone, wherever the hub may send us. */
final class HubHttp {

    private static final int MOST_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final String AGENT =
            "lora-djl; java/" + Runtime.version().feature() + "; " + System.getProperty("os.name");

    private final URI endpoint;
    private final HubToken token;
    private final Duration timeout;
    private final HttpClient client;

    HubHttp(URI endpoint, HubToken token, Duration timeout) {
        this.endpoint = endpoint;
        this.token = token;
        this.timeout = timeout;
        client =
                HttpClient.newBuilder()
                        // Several files come faster over connections of their own.
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .proxy(ProxySelector.getDefault())
                        .connectTimeout(timeout)
                        .build();
    }

    /**
     * Gets what a path on the hub leads to.
     *
     * @param path the path and the query, encoded
     * @param from the first byte that is wanted
     * @return the answer, whatever its status; to be closed
     * @throws HubException if nobody answers, or a redirect is refused
     * @throws InterruptedIOException if this thread is told to stop
     */
    HttpResponse<BodyReader> get(String path, long from)
            throws HubException, InterruptedIOException {
        URI uri = URI.create(endpoint + path);
        for (int i = 0; i <= MOST_REDIRECTS; i++) {
            HttpResponse<BodyReader> response = send(uri, from);
            if (!REDIRECTS.contains(response.statusCode())) {
                return response;
            }
            response.body().close();
            uri = target(uri, response.headers().firstValue("Location").orElse(""));
        }
        throw new HubException(endpoint + path + " redirects without end; check HF_ENDPOINT");
    }

    private HttpResponse<BodyReader> send(URI uri, long from)
            throws HubException, InterruptedIOException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(uri)
                        .header("User-Agent", AGENT)
                        // A compressed body would have neither the size nor the ranges of the file.
                        .header("Accept-Encoding", "identity");
        if (token != null && isHub(uri)) {
            request.header("Authorization", "Bearer " + token.value());
        }
        if (from > 0) {
            request.header("Range", "bytes=" + from + "-");
        }
        CompletableFuture<HttpResponse<BodyReader>> answer =
                client.sendAsync(
                        request.build(), info -> new BodyReader(uri.getAuthority(), timeout));
        try {
            // Not the request's own timeout: in newer Javas that takes in the whole body.
            return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw HubException.passing(stalled(uri.getAuthority(), timeout), e);
        } catch (ExecutionException e) {
            throw HubException.passing(
                    "cannot reach "
                            + uri.getAuthority()
                            + " ("
                            + describe(e.getCause())
                            + "); check the network and HF_ENDPOINT, or the proxy that Java is to"
                            + " use (-Dhttps.proxyHost)",
                    e.getCause());
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while asking " + uri.getAuthority());
        }
    }

    private static String describe(Throwable cause) {
        String name = cause.getClass().getSimpleName();
        return cause.getMessage() == null ? name : name + ": " + Printable.of(cause.getMessage());
    }

    static String stalled(String host, Duration timeout) {
        return "nothing came from "
                + host
                + " for "
                + timeout.toMillis() / 1000.0
                + " s (HF_HUB_DOWNLOAD_TIMEOUT sets how many to wait)";
    }

    private static URI target(URI from, String location) throws HubException {
        URI to;
        try {
            to = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw refused(from, location);
        }
        boolean isSafe =
                "https".equalsIgnoreCase(to.getScheme())
                        || "http".equalsIgnoreCase(to.getScheme())
                                && "http".equalsIgnoreCase(from.getScheme());
        if (location.isEmpty() || !isSafe || to.getHost() == null) {
            throw refused(from, location);
        }
        return to;
    }

    private static HubException refused(URI from, String location) {
        return new HubException(
                from.getAuthority()
                        + " redirects to \""
                        + Printable.of(location)
                        + "\", which is not followed; check HF_ENDPOINT");
    }

    /** Tells whether an address is the hub itself: same protocol, host and port. */
    private boolean isHub(URI uri) {
        return endpoint.getScheme().equalsIgnoreCase(uri.getScheme())
                && endpoint.getHost().equalsIgnoreCase(uri.getHost())
                && port(endpoint) == port(uri);
    }

    private static int port(URI uri) {
        if (uri.getPort() >= 0) {
            return uri.getPort();
        }
        return uri.getScheme().toLowerCase(Locale.ROOT).equals("https") ? 443 : 80;
    }
}
