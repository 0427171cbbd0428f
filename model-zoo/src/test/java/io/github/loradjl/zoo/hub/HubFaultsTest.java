package io.github.loradjl.zoo.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.net.httpserver.HttpServer;
import io.github.loradjl.zoo.hub.HubStandIn.Fault;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** A hub that refuses, breaks off, stalls, or sends what it should not. */
class HubFaultsTest extends HubTestBase {

    private static ThrowableAssertAlternative<HubException> refusal(HubClient client, String id) {
        return assertThatExceptionOfType(HubException.class)
                .isThrownBy(() -> client.snapshot(HubId.parse(id), null));
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"CUT", "BUSY", "OTHER_RANGE", "WITHOUT_RANGES"})
    void snapshot_faultBeforeAnswerOrAfterHalf_isMadeGood(Fault fault) throws IOException {
        publish("main", 1);
        hub.fail(WEIGHTS, Fault.CUT, fault, Fault.CUT);
        assertThat(fetch().resolve(WEIGHTS)).hasBinaryContent(files(1).get(WEIGHTS));
        assertThat(part(1)).doesNotExist();
    }

    @Test
    void snapshot_cutShort_goesOnByRange() throws IOException {
        publish("main", 1);
        hub.fail(WEIGHTS, Fault.CUT);
        fetch();
        assertThat(hub.requests("store", WEIGHTS))
                .extracting(HubStandIn.Request::range)
                .containsExactly(null, "bytes=100000-");
    }

    @Test
    void snapshot_cutShortInASmallFile_isMadeGood() throws IOException {
        publish("main", 1);
        hub.fail("config.json", Fault.CUT);
        assertThat(fetch().resolve("config.json")).hasContent("{\"seed\": 1}");
    }

    @Test
    void snapshot_partOfAnEarlierRun_isCompleted() throws IOException {
        publish("main", 1);
        Files.createDirectories(blobs());
        Files.write(part(1), Arrays.copyOf(files(1).get(WEIGHTS), 150_000));
        assertThat(fetch().resolve(WEIGHTS)).hasBinaryContent(files(1).get(WEIGHTS));
        assertThat(hub.requests("store", WEIGHTS))
                .extracting(HubStandIn.Request::range)
                .containsExactly("bytes=150000-");
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 200_000, 300_000})
    void snapshot_damagedPartOfAnEarlierRun_isFetchedAnew(int length) throws IOException {
        publish("main", 1);
        Files.createDirectories(blobs());
        Files.write(part(1), new byte[length]);
        assertThat(fetch().resolve(WEIGHTS)).hasBinaryContent(files(1).get(WEIGHTS));
    }

    @Test
    void snapshot_brokenForGood_saysThatItGoesOnNextTime() throws IOException {
        publish("main", 1);
        hub.fail(WEIGHTS, Fault.BUSY, Fault.BUSY, Fault.BUSY, Fault.BUSY, Fault.BUSY, Fault.BUSY);
        refusal(builder().build(), "someone/small")
                .withMessageContaining("503")
                .withMessageContaining("after 5 attempts")
                .withMessageContaining("goes on from here");
        hub.fail(WEIGHTS);
        assertThat(fetch()).isDirectory();
    }

    @Test
    void snapshot_wrongHash_isNotKept() throws IOException {
        publish("main", 1);
        hub.fail(WEIGHTS, Fault.WRONG_BYTE);
        refusal(builder().build(), "someone/small")
                .withMessageContaining(WEIGHTS)
                .withMessageContaining("the hub lists " + etag(1));
        assertThat(blobs().resolve(etag(1))).doesNotExist();
        assertThat(part(1)).isEmptyFile();
        assertThat(fetch().resolve(WEIGHTS)).hasBinaryContent(files(1).get(WEIGHTS));
    }

    @Test
    void snapshot_wrongHashInASmallFile_isNotKept() throws IOException {
        publish("main", 1);
        hub.fail("config.json", Fault.WRONG_BYTE);
        refusal(builder().build(), "someone/small").withMessageContaining("config.json");
        assertThat(cache.resolve("models--someone--small/refs")).doesNotExist();
        assertThat(fetch().resolve("config.json")).hasContent("{\"seed\": 1}");
    }

    @Test
    void snapshot_longerThanListed_isNotKept() throws IOException {
        publish("main", 1);
        hub.fail(WEIGHTS, Fault.LONGER);
        refusal(builder().build(), "someone/small")
                .withMessageContaining("longer than the 200000 bytes");
        assertThat(fetch().resolve(WEIGHTS)).hasBinaryContent(files(1).get(WEIGHTS));
    }

    @Test
    void snapshot_stall_isGivenUpAndGoesOn() throws IOException {
        publish("main", 1);
        hub.fail(WEIGHTS, Fault.STALL);
        HubClient client = builder().optTimeout(Duration.ofMillis(300)).build();
        long start = System.nanoTime();
        assertThat(client.snapshot(ID, null).resolve(WEIGHTS))
                .hasBinaryContent(files(1).get(WEIGHTS));
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
        assertThat(hub.requests("store", WEIGHTS)).hasSize(2);
    }

    @Test
    void snapshot_serverThatNeverAnswers_saysHowLongWasWaited() throws Exception {
        HttpServer silent =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        // Without a thread of its own the server accepts, and says nothing.
        silent.setExecutor(task -> {});
        silent.start();
        try {
            HubClient client =
                    builder()
                            .optEndpoint("http://127.0.0.1:" + silent.getAddress().getPort())
                            .optTimeout(Duration.ofMillis(100))
                            .build();
            refusal(client, "someone/small")
                    .withMessageContaining("nothing came")
                    .withMessageContaining("HF_HUB_DOWNLOAD_TIMEOUT");
        } finally {
            silent.stop(0);
        }
    }

    @Test
    void snapshot_unknownOrPrivate_saysWhatToDo() {
        publish("main", 1);
        hub.repository(ID.getRepository()).ask("hf_right", false);
        for (String id : List.of("no/body", "someone/small")) {
            refusal(builder().build(), id)
                    .withMessageContaining("knows no public " + id)
                    .withMessageContaining("HF_TOKEN")
                    .withMessageContaining("hf auth login");
        }
        refusal(builder().optToken("hf_wrong").build(), "someone/small")
                .withMessageContaining("does not accept a token from the program")
                .withMessageContaining("/settings/tokens")
                .withMessageNotContaining("hf_wrong");
        refusal(builder().optToken("hf_right").build(), "no/body")
                .withMessageContaining("check the name");
    }

    @Test
    void snapshot_gated_saysWhereToAccept() {
        publish("main", 1);
        hub.repository(ID.getRepository()).ask("hf_right", true);
        refusal(builder().build(), "someone/small")
                .withMessageContaining("someone/small is gated")
                .withMessageContaining(hub.endpoint() + "/someone/small")
                .withMessageContaining("set HF_TOKEN");
        refusal(builder().optToken("hf_other").build(), "someone/small")
                .withMessageContaining("is gated")
                .withMessageContaining("accept them with the account of a token from the program")
                .withMessageNotContaining("hf_other");
    }

    @Test
    void snapshot_unknownRevision_namesIt() {
        publish("main", 1);
        refusal(builder().build(), "someone/small@v9")
                .withMessageContaining("someone/small has no revision v9");
    }

    @Test
    void snapshot_fileThatIsGone_namesIt() {
        publish("main", 1);
        hub.fail(WEIGHTS, Fault.GONE);
        refusal(builder().build(), "someone/small")
                .withMessageContaining("someone/small has no file " + WEIGHTS);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "<html>Log in to the wireless network</html> | HF_ENDPOINT",
                "{} | HF_ENDPOINT",
                "[] | HF_ENDPOINT",
                "{\"sha\": \"../../x\", \"siblings\": []} | HF_ENDPOINT",
                "{\"sha\": \"0123456789012345678901234567890123456789\"} | HF_ENDPOINT",
                "{\"sha\": \"0123456789012345678901234567890123456789\", \"siblings\": [null]} |"
                        + " no name",
                "{\"sha\": \"0123456789012345678901234567890123456789\", \"siblings\":"
                        + " [{\"rfilename\": \"a.json\"}]} | a.json has no size",
                "{\"sha\": \"0123456789012345678901234567890123456789\", \"siblings\":"
                    + " [{\"rfilename\": \"a.json\", \"size\": 1, \"blobId\": \"../../../x\"}]} |"
                    + " a.json has no size",
                "{\"sha\": \"0123456789012345678901234567890123456789\", \"siblings\":"
                        + " [{\"rfilename\": \"a.json\", \"size\": -1, \"blobId\":"
                        + " \"0123456789012345678901234567890123456789\"}]} | a.json has no size",
                "{\"sha\": \"0123456789012345678901234567890123456789\", \"siblings\":"
                        + " [{\"rfilename\": \"a.json\", \"size\": 9223372036854775807, \"blobId\":"
                        + " \"0123456789012345678901234567890123456789\"}]} | a.json has no size",
            })
    void snapshot_answerOfNoHub_isRefused(String answer, String expected) throws IOException {
        HttpServer other = serve(200, answer, null);
        try {
            refusal(at(other), "someone/small").withMessageContaining(expected);
        } finally {
            other.stop(0);
        }
        try (var written = Files.list(cache)) {
            assertThat(written).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"file:///etc/passwd", "jar:file:///x.jar!/y", "ftp://a/b", "", "http://"})
    void snapshot_redirectElsewhere_isNotFollowed(String location) throws IOException {
        HttpServer other = serve(302, "", location);
        try {
            refusal(at(other), "someone/small").withMessageContaining("is not followed");
        } finally {
            other.stop(0);
        }
    }

    @Test
    void snapshot_redirectInCircles_ends() throws IOException {
        HttpServer other = serve(307, "", "/again");
        try {
            refusal(at(other), "someone/small").withMessageContaining("redirects without end");
        } finally {
            other.stop(0);
        }
    }

    @Test
    void snapshot_asFileInTheWay_isAnIoException() throws IOException {
        publish("main", 1);
        Path file = Files.createFile(cache.resolve("file"));
        HubClient client = builder().optCacheFolder(file).build();
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> client.snapshot(ID, null));
    }

    private HubClient at(HttpServer server) {
        return builder().optEndpoint("http://127.0.0.1:" + server.getAddress().getPort()).build();
    }

    private static HttpServer serve(int status, String body, String location) throws IOException {
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/",
                exchange -> {
                    if (location != null) {
                        exchange.getResponseHeaders().set("Location", location);
                    }
                    byte[] bytes = text(body);
                    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
                    exchange.getResponseBody().write(bytes);
                    exchange.close();
                });
        server.start();
        return server;
    }
}
