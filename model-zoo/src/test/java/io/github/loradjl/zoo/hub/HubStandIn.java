package io.github.loradjl.zoo.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * A hub over real HTTP on the loopback. Large files (the safetensors) are redirected to a second
 * server on another port, as the hub does to the hosts that keep them.
 */
public final class HubStandIn implements AutoCloseable {

    private static final int CHUNK = 8192;

    private final HttpServer hub;
    private final HttpServer store;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Map<String, Repository> repositories = new ConcurrentHashMap<>();
    private final Map<String, byte[]> contents = new ConcurrentHashMap<>();
    private final Map<String, Deque<Fault>> faults = new ConcurrentHashMap<>();
    private final Map<String, String> renamed = new ConcurrentHashMap<>();
    private final List<Request> requests = new CopyOnWriteArrayList<>();
    // By default the same machine and another port, which is another host to a careful client.
    private String storeHost = "127.0.0.1";
    // Each chunk of a large file waits so long.
    volatile long pauseMillis;

    /** What is done to a download. */
    enum Fault {
        CUT,
        STALL,
        WRONG_BYTE,
        LONGER,
        WITHOUT_RANGES,
        OTHER_RANGE,
        GONE,
        BUSY
    }

    /** A request as it came. */
    public record Request(String server, String method, String path, String token, String range) {}

    /** A repository: what its revisions hold. */
    public static final class Repository {
        private final Map<String, Map<String, byte[]>> commits = new ConcurrentHashMap<>();
        private final Map<String, String> refs = new ConcurrentHashMap<>();
        // Null for a public one.
        private String token;
        private boolean gated;

        /** Makes a commit that a branch or a tag stands at. */
        public String commit(String ref, Map<String, byte[]> files) {
            String text = ref;
            for (Map.Entry<String, byte[]> file : new TreeMap<>(files).entrySet()) {
                text += "\n" + file.getKey() + HubAnswers.hash("SHA-1", file.getValue());
            }
            String commit = HubAnswers.hash("SHA-1", text.getBytes(StandardCharsets.UTF_8));
            commits.put(commit, new TreeMap<>(files));
            refs.put(ref, commit);
            return commit;
        }

        Repository ask(String needed, boolean isGated) {
            token = needed;
            gated = isGated;
            return this;
        }
    }

    /** Starts it. */
    public HubStandIn() throws IOException {
        this(0);
    }

    private HubStandIn(int port) throws IOException {
        hub = start(port, this::answer);
        store = start(0, this::answerLarge);
    }

    private HttpServer start(int port, HttpHandler handler) throws IOException {
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> guarded(exchange, handler));
        server.start();
        return server;
    }

    private static void guarded(HttpExchange exchange, HttpHandler handler) {
        try {
            handler.handle(exchange);
        } catch (IOException e) {
            // Whoever asked has gone, or a fault has cut the answer off.
        } finally {
            exchange.close();
        }
    }

    public String endpoint() {
        return "http://127.0.0.1:" + hub.getAddress().getPort();
    }

    public Repository repository(String id) {
        return repositories.computeIfAbsent(id, key -> new Repository());
    }

    /** Does something to the next downloads of a file, one after the other. */
    void fail(String file, Fault... what) {
        faults.computeIfAbsent(file, key -> new ArrayDeque<>()).addAll(List.of(what));
    }

    public List<Request> requests() {
        return requests;
    }

    List<Request> requests(String server, String part) {
        return requests.stream()
                .filter(request -> request.server.equals(server) && request.path.contains(part))
                .toList();
    }

    private Fault fault(String file) {
        Deque<Fault> waiting = faults.getOrDefault(file, new ArrayDeque<>());
        synchronized (waiting) {
            return waiting.poll();
        }
    }

    /** Tells whether a fault is the next, and takes it then. */
    private boolean fault(String file, Fault fault) {
        Deque<Fault> waiting = faults.getOrDefault(file, new ArrayDeque<>());
        synchronized (waiting) {
            return waiting.peek() == fault && waiting.remove() == fault;
        }
    }

    /** Redirects from an old name of a repository, as the hub does after it was renamed. */
    void rename(String old, String name) {
        renamed.put(old, name);
    }

    private void answer(HttpExchange exchange) throws IOException {
        record(exchange, "hub");
        String path = exchange.getRequestURI().getRawPath();
        for (Map.Entry<String, String> name : renamed.entrySet()) {
            if (path.contains("/" + name.getKey() + "/")) {
                String to = exchange.getRequestURI().toString();
                exchange.getResponseHeaders()
                        .set("Location", to.replace(name.getKey(), name.getValue()));
                send(exchange, 307, new byte[0]);
                return;
            }
        }
        boolean isApi = path.startsWith("/api/models/");
        String[] parts = path.substring(isApi ? "/api/models/".length() : 1).split("/", 5);
        if (parts.length < 2) {
            refuse(exchange, 404, "", "no such page");
            return;
        }
        String id = parts[0] + "/" + parts[1];
        Repository repository = repositories.get(id);
        String token = exchange.getRequestHeaders().getFirst("Authorization");
        if (repository == null) {
            // As the hub does, which does not tell strangers what there is.
            refuse(exchange, token == null ? 401 : 404, "RepoNotFound", "Repository not found");
            return;
        }
        boolean isKnown = repository.token == null || ("Bearer " + repository.token).equals(token);
        if (!isKnown && !repository.gated) {
            refuse(exchange, 401, "RepoNotFound", "Invalid username or password.");
            return;
        }
        String revision = parts.length > 3 ? decode(parts[3]) : "main";
        String commit = repository.refs.getOrDefault(revision, revision);
        Map<String, byte[]> files = repository.commits.get(commit);
        if (files == null) {
            refuse(exchange, 404, "RevisionNotFound", "Invalid rev id: " + revision);
            return;
        }
        exchange.getResponseHeaders().set("X-Repo-Commit", commit);
        if (isApi) {
            Fault fault = fault("(api)");
            if (fault == Fault.BUSY) {
                refuse(exchange, 503, "", "");
                return;
            }
            boolean isTree = parts.length > 2 && parts[2].equals("tree");
            String json = isTree ? HubAnswers.tree(files) : HubAnswers.info(id, commit, files);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            send(exchange, 200, json.getBytes(StandardCharsets.UTF_8));
            return;
        }
        if (!isKnown) {
            refuse(exchange, token == null ? 401 : 403, "GatedRepo", "Access is restricted");
            return;
        }
        String file = parts.length > 4 ? decode(parts[4]) : "";
        if (!files.containsKey(file) || fault(file, Fault.GONE)) {
            refuse(exchange, 404, "EntryNotFound", "Entry not found");
            return;
        }
        resolve(exchange, file, files.get(file));
    }

    private void resolve(HttpExchange exchange, String file, byte[] content) throws IOException {
        if (!HubAnswers.isLarge(file)) {
            exchange.getResponseHeaders().set("ETag", "\"" + HubAnswers.gitHash(content) + "\"");
            download(exchange, file, content);
            return;
        }
        String sha256 = HubAnswers.hash("SHA-256", content);
        contents.put(sha256, content);
        exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + sha256 + "\"");
        exchange.getResponseHeaders().set("X-Linked-Size", Integer.toString(content.length));
        String location =
                "http://"
                        + storeHost
                        + ":"
                        + store.getAddress().getPort()
                        + "/"
                        + sha256
                        + "/"
                        + file
                        + "?signature=x";
        exchange.getResponseHeaders().set("Location", location);
        send(exchange, 302, new byte[0]);
    }

    private void answerLarge(HttpExchange exchange) throws IOException {
        record(exchange, "store");
        String[] parts = exchange.getRequestURI().getPath().substring(1).split("/", 2);
        exchange.getResponseHeaders().set("ETag", "\"of-the-store\"");
        download(exchange, parts[1], contents.get(parts[0]));
    }

    /** Sends a file, or a range of it, or what a fault makes of it. */
    private void download(HttpExchange exchange, String file, byte[] content) throws IOException {
        boolean isHead = exchange.getRequestMethod().equals("HEAD");
        Fault fault = isHead ? null : fault(file);
        if (fault == Fault.BUSY) {
            refuse(exchange, 503, "", "");
            return;
        }
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = 0;
        int status = 200;
        if (range != null && fault != Fault.WITHOUT_RANGES) {
            from = Integer.parseInt(range.replaceAll("bytes=(\\d+)-.*", "$1"));
            if (fault == Fault.OTHER_RANGE) {
                from = Math.max(0, from - 10);
            }
            status = from < content.length ? 206 : 416;
            exchange.getResponseHeaders()
                    .set(
                            "Content-Range",
                            status == 416
                                    ? "bytes */" + content.length
                                    : "bytes "
                                            + from
                                            + "-"
                                            + (content.length - 1)
                                            + "/"
                                            + content.length);
        }
        exchange.getResponseHeaders().set("Accept-Ranges", "bytes");
        if (isHead || status == 416) {
            exchange.getResponseHeaders().set("Content-Length", "" + (content.length - from));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        byte[] body = content.clone();
        if (fault == Fault.WRONG_BYTE) {
            body[body.length - 1] ^= 1;
        }
        if (fault == Fault.LONGER) {
            body = Arrays.copyOf(body, body.length + 5);
        }
        exchange.sendResponseHeaders(status, body.length - from);
        boolean isCut = fault == Fault.CUT || fault == Fault.STALL;
        int end = isCut ? from + (body.length - from) / 2 : body.length;
        write(exchange.getResponseBody(), body, from, end);
        if (fault == Fault.STALL) {
            sleep(TimeUnit.MINUTES.toMillis(1));
        }
        if (!isCut) {
            exchange.getResponseBody().close();
        }
    }

    private void write(OutputStream out, byte[] body, int from, int end) throws IOException {
        for (int at = from; at < end; at += CHUNK) {
            out.write(body, at, Math.min(CHUNK, end - at));
            out.flush();
            if (pauseMillis > 0 && body.length > CHUNK) {
                sleep(pauseMillis);
            }
        }
    }

    private void sleep(long millis) {
        try {
            closing.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void record(HttpExchange exchange, String server) {
        requests.add(
                new Request(
                        server,
                        exchange.getRequestMethod(),
                        exchange.getRequestURI().toString(),
                        exchange.getRequestHeaders().getFirst("Authorization"),
                        exchange.getRequestHeaders().getFirst("Range")));
    }

    private static void refuse(HttpExchange exchange, int status, String code, String message)
            throws IOException {
        exchange.getResponseHeaders().set("X-Error-Code", code);
        exchange.getResponseHeaders().set("X-Error-Message", message);
        send(exchange, status, "{\"error\":\"refused\"}".getBytes(StandardCharsets.UTF_8));
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        boolean hasBody = body.length > 0 && !exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(status, hasBody ? body.length : -1);
        if (hasBody) {
            exchange.getResponseBody().write(body);
        }
    }

    private static String decode(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    /** Reads a folder's files. */
    public static Map<String, byte[]> folder(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (var paths = Files.list(folder)) {
            for (Path path : paths.filter(Files::isRegularFile).toList()) {
                files.put(path.getFileName().toString(), Files.readAllBytes(path));
            }
        }
        return files;
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        closing.countDown();
        hub.stop(0);
        store.stop(0);
        threads.shutdownNow();
    }

    /**
     * Serves folders until it is killed: a port, then {@code owner/name=folder}, any number of
     * times.
     */
    public static void main(String[] arguments) throws Exception {
        HubStandIn standIn = new HubStandIn(Integer.parseInt(arguments[0]));
        // Python's client compares the names of hosts alone.
        standIn.storeHost = "localhost";
        for (int i = 1; i < arguments.length; i++) {
            String[] served = arguments[i].split("=", 2);
            Map<String, byte[]> files = folder(Path.of(served[1]));
            files.put(
                    ".gitattributes",
                    "*.safetensors filter=lfs\n".getBytes(StandardCharsets.UTF_8));
            files.put("pytorch_model.bin", "a pickle".getBytes(StandardCharsets.UTF_8));
            String commit = standIn.repository(served[0]).commit("main", files);
            System.out.println(served[0] + " at " + commit);
        }
        System.out.println(standIn.endpoint());
        Thread.currentThread().join();
    }
}
