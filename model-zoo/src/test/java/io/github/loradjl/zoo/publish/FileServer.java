package io.github.loradjl.zoo.publish;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A web server on the loopback that hands out a folder, without listing it. */
public final class FileServer implements AutoCloseable {

    private final Path root;
    private final HttpServer server;
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private volatile boolean isBroken;

    /**
     * Starts a server.
     *
     * @param root the folder
     */
    public FileServer(Path root) throws IOException {
        this.root = root;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/adapters/", this::answer);
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath().substring("/adapters/".length());
            requests.add(path);
            if (isBroken) {
                exchange.sendResponseHeaders(503, -1);
                return;
            }
            Path file = root.resolve(path);
            if (!Files.isRegularFile(file)) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            exchange.sendResponseHeaders(200, Files.size(file));
            Files.copy(file, exchange.getResponseBody());
        }
    }

    /** Returns the URL of the folder. */
    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/adapters";
    }

    /** Returns the paths that were asked for. */
    public List<String> requests() {
        return requests;
    }

    /** From now on answers that it cannot. */
    public void breakDown() {
        isBroken = true;
    }

    /** {@inheritDoc} */
    @Override
    public void close() {
        server.stop(0);
    }
}
