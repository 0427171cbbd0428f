package io.github.loradjl.zoo.hub;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Several processes, and one that is killed. */
@Timeout(120)
class HubProcessesTest extends HubTestBase {

    private Process start() throws IOException {
        return HubProcess.start(hub.endpoint(), cache, ID.toString());
    }

    /** Waits until another process has received a quarter of the weights. */
    private void awaitPart(Process process) throws Exception {
        while (process.isAlive() && !(Files.exists(part(1)) && Files.size(part(1)) >= 50_000)) {
            Thread.sleep(10);
        }
        assertThat(process.isAlive()).isTrue();
    }

    @Test
    void snapshot_twoClientsAndAnotherProcess_fetchEachFileOnce() throws Exception {
        publish("main", 1);
        hub.pauseMillis = 100;
        Process other = start();
        ExecutorService pool = Executors.newFixedThreadPool(2);
        try {
            // The other process has the lock by then.
            awaitPart(other);
            List<Future<Path>> here = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                here.add(pool.submit(this::fetch));
            }
            String said = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(other.waitFor()).as(said).isZero();
            for (Future<Path> folder : here) {
                assertThat(said).contains(folder.get().toString());
                assertThat(folder.get().resolve(WEIGHTS)).hasBinaryContent(files(1).get(WEIGHTS));
            }
        } finally {
            pool.shutdownNow();
            other.destroyForcibly();
        }
        assertThat(hub.requests("store", WEIGHTS)).hasSize(1);
        assertThat(hub.requests("hub", "/api/")).hasSize(3);
    }

    @Test
    void snapshot_processKilledInTheMiddle_goesOnByRange() throws Exception {
        publish("main", 1);
        hub.pauseMillis = 100;
        Process other = start();
        try {
            awaitPart(other);
        } finally {
            other.destroyForcibly().waitFor();
        }
        long left = Files.size(part(1));
        assertThat(left).isBetween(50_000L, 199_999L);
        hub.pauseMillis = 0;
        hub.requests().clear();
        assertThat(fetch().resolve(WEIGHTS)).hasBinaryContent(files(1).get(WEIGHTS));
        assertThat(hub.requests("store", WEIGHTS))
                .extracting(HubStandIn.Request::range)
                .containsExactly("bytes=" + left + "-");
        assertThat(part(1)).doesNotExist();
    }
}
