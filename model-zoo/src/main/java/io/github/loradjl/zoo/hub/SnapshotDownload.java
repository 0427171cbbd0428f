package io.github.loradjl.zoo.hub;

import ai.djl.util.Progress;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Fetches what is missing of a commit, several files at once. */
final class SnapshotDownload {

    private static final int PATIENCE_SECONDS = 5;

    private final FileDownload download;
    private final HubCache cache;
    private final int workers;

    SnapshotDownload(FileDownload download, HubCache cache, int workers) {
        this.download = download;
        this.cache = cache;
        this.workers = workers;
    }

    void fetch(HubId id, HubListing listing, Progress progress) throws IOException {
        List<HubFile> missing = new ArrayList<>();
        for (HubFile file : listing.files()) {
            if (!cache.has(listing.commit(), file)) {
                missing.add(file);
            }
        }
        if (missing.isEmpty()) {
            return;
        }
        long bytes = missing.stream().mapToLong(HubFile::size).sum();
        checkSpace(id, bytes);
        Meter meter = new Meter(progress);
        meter.start("Downloading " + id, bytes);
        try {
            fetchAll(missing, meter);
        } finally {
            meter.end();
        }
    }

    private void checkSpace(HubId id, long bytes) throws IOException {
        Path folder = Files.createDirectories(cache.folder());
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < bytes) {
            throw new HubException(
                    id
                            + " takes "
                            + bytes / 1_000_000
                            + " MB, and "
                            + folder
                            + " has room for "
                            + free / 1_000_000
                            + " MB; make room, or set HF_HUB_CACHE to another folder");
        }
    }

    private void fetchAll(List<HubFile> files, Meter meter) throws IOException {
        ExecutorService pool =
                Executors.newFixedThreadPool(
                        Math.min(workers, files.size()),
                        task -> {
                            Thread thread = new Thread(task, "hub-download");
                            thread.setDaemon(true);
                            return thread;
                        });
        CompletionService<Void> running = new ExecutorCompletionService<>(pool);
        try {
            for (HubFile file : files) {
                running.submit(
                        () -> {
                            download.fetch(file, meter);
                            return null;
                        });
            }
            for (int i = 0; i < files.size(); i++) {
                running.take().get();
            }
        } catch (ExecutionException e) {
            throw rethrown(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while downloading");
        } finally {
            stop(pool);
        }
    }

    /** After a failure the others stop as well; what they have received stays. */
    private static void stop(ExecutorService pool) {
        pool.shutdownNow();
        try {
            pool.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static IOException rethrown(Throwable cause) {
        if (cause instanceof RuntimeException runtime) {
            throw runtime;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        return (IOException) cause;
    }
}
