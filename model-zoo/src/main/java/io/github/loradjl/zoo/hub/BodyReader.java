package io.github.loradjl.zoo.hub;

import java.io.ByteArrayOutputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The body of an answer, read piece by piece; a piece that does not come in time is an error. */
final class BodyReader implements BodySubscriber<BodyReader>, AutoCloseable {

    private static final Object END = new Object();

    private final String host;
    private final Duration timeout;
    // Lists of buffers, then END or a Throwable.
    private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();
    private final Deque<ByteBuffer> pieces = new ArrayDeque<>();
    private Subscription subscription;
    private boolean closed;
    private boolean ended;

    BodyReader(String host, Duration timeout) {
        this.host = host;
        this.timeout = timeout;
    }

    /** {@inheritDoc} */
    @Override
    public CompletionStage<BodyReader> getBody() {
        return CompletableFuture.completedFuture(this);
    }

    /** {@inheritDoc} */
    @Override
    public void onSubscribe(Subscription given) {
        synchronized (this) {
            subscription = given;
        }
        demand();
    }

    /** {@inheritDoc} */
    @Override
    public void onNext(List<ByteBuffer> buffers) {
        events.add(List.copyOf(buffers));
    }

    /** {@inheritDoc} */
    @Override
    public void onError(Throwable throwable) {
        events.add(throwable);
    }

    /** {@inheritDoc} */
    @Override
    public void onComplete() {
        events.add(END);
    }

    private synchronized void demand() {
        if (closed) {
            subscription.cancel();
        } else {
            subscription.request(1);
        }
    }

    /**
     * Returns the next piece, or null at the end.
     *
     * @throws HubException if the connection broke or nothing came in time
     * @throws InterruptedIOException if this thread is told to stop
     */
    ByteBuffer next() throws HubException, InterruptedIOException {
        while (pieces.isEmpty()) {
            if (ended) {
                return null;
            }
            take(poll());
        }
        return pieces.poll();
    }

    private Object poll() throws InterruptedIOException {
        try {
            return events.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while reading from " + host);
        }
    }

    @SuppressWarnings("unchecked")
    private void take(Object event) throws HubException {
        if (event == null) {
            throw HubException.passing(HubHttp.stalled(host, timeout), null);
        }
        if (event instanceof Throwable broken) {
            throw HubException.passing("the connection to " + host + " broke", broken);
        }
        if (event == END) {
            ended = true;
            return;
        }
        pieces.addAll((List<ByteBuffer>) event);
        demand();
    }

    /** Reads the rest as text; one longer than that is cut off. */
    String text(int most) throws HubException, InterruptedIOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (ByteBuffer piece = next(); piece != null && bytes.size() < most; piece = next()) {
            byte[] copy = new byte[Math.min(piece.remaining(), most - bytes.size())];
            piece.get(copy);
            bytes.writeBytes(copy);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** Gives the connection up, unless everything was read. */
    @Override
    public synchronized void close() {
        closed = true;
        if (subscription != null) {
            subscription.cancel();
        }
    }
}
