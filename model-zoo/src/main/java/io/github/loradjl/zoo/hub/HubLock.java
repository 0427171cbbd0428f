package io.github.loradjl.zoo.hub;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A lock on a file, against other processes and against the threads of this one. The system takes
 * it from a process that ends.
 *
 * <p>Python's locks are of another kind on Unix and do not see these; so no file is shared with
 * Python before it is whole.
 */
final class HubLock implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(HubLock.class);
    private static final long PAUSE_MILLIS = 100;
    private static final int PAUSES_BEFORE_WORD = 20;

    // Java's locks are held by the process, and lost when any channel to the file is closed.
    private static final Map<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

    private final ReentrantLock thread;
    private final FileChannel channel;

    private HubLock(ReentrantLock thread, FileChannel channel) {
        this.thread = thread;
        this.channel = channel;
    }

    /**
     * Waits for a lock.
     *
     * @param file the lock's file, made if it is missing and left there
     * @param what what is done under the lock, for the log
     * @throws IOException if the file cannot be made or locked
     */
    static HubLock acquire(Path file, String what) throws IOException {
        Files.createDirectories(file.getParent());
        ReentrantLock thread = THREADS.computeIfAbsent(file, key -> new ReentrantLock());
        FileChannel channel = null;
        try {
            thread.lockInterruptibly();
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            await(channel, what);
            return new HubLock(thread, channel);
        } catch (InterruptedException e) {
            release(thread, channel);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for " + file);
        } catch (IOException | RuntimeException e) {
            release(thread, channel);
            throw e;
        }
    }

    private static void await(FileChannel channel, String what)
            throws IOException, InterruptedException {
        for (int i = 1; ; i++) {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return;
            }
            if (i == PAUSES_BEFORE_WORD) {
                LOG.warn("another process is at {}; waiting for it", what);
            }
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        }
    }

    private static void release(ReentrantLock thread, FileChannel channel) throws IOException {
        try {
            if (channel != null) {
                channel.close();
            }
        } finally {
            if (thread.isHeldByCurrentThread()) {
                thread.unlock();
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    public void close() throws IOException {
        release(thread, channel);
    }
}
