package io.github.loradjl.examples.benchmark.speed;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A worker's process, from the side of who gives it work. */
final class Side implements AutoCloseable {

    private final String name;
    private final List<String> command;
    private final boolean isNewEachTurn;
    private final List<Turn> turns = new ArrayList<>();
    private Process process;
    private PrintStream to;
    private BufferedReader from;

    /**
     * What came of one turn.
     *
     * @param seconds how long it took
     * @param value the loss or another number that both sides must agree on, or NaN
     * @param peak the highest resident memory of the process so far, in bytes
     * @param live the number of arrays that are held after it; 0 where the process does not tell
     */
    record Turn(double seconds, double value, long peak, int live) {}

    /**
     * Creates a side.
     *
     * @param name its name, for messages
     * @param command what starts its process
     * @param isNewEachTurn whether each turn has a process of its own, whose start counts
     */
    Side(String name, List<String> command, boolean isNewEachTurn) throws IOException {
        this.name = name;
        this.command = command;
        this.isNewEachTurn = isNewEachTurn;
        if (!isNewEachTurn) {
            start();
        }
    }

    /** Makes the command that starts a worker of ours, with the settings of this JVM. */
    static List<String> java(Class<?> worker, String... options) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                        .filter(option -> option.startsWith("-X"))
                        .toList());
        command.add("-Dai.djl.offline=true");
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), worker.getName()));
        return command;
    }

    private void start() throws IOException {
        process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        to = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
        from =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        answer();
    }

    /** Works once and waits for the end of it. */
    Turn work() throws IOException {
        long begin = System.nanoTime();
        if (isNewEachTurn) {
            start();
        }
        to.println();
        JsonObject json = answer();
        double all = (System.nanoTime() - begin) / 1e9;
        Turn turn =
                new Turn(
                        isNewEachTurn ? all : json.get("seconds").getAsDouble(),
                        json.has("value") ? json.get("value").getAsDouble() : Double.NaN,
                        json.get("peak").getAsLong(),
                        json.has("live") ? json.get("live").getAsInt() : 0);
        turns.add(turn);
        if (isNewEachTurn) {
            close();
        }
        return turn;
    }

    /** Forgets the turns so far, of which none counts. */
    void warm() {
        turns.clear();
    }

    List<Turn> turns() {
        return turns;
    }

    private JsonObject answer() throws IOException {
        String line = from.readLine();
        if (line == null) {
            throw new IOException("the process of " + name + " has ended; see what it said above");
        }
        return JsonParser.parseString(line).getAsJsonObject();
    }

    /** {@inheritDoc} */
    @Override
    public void close() throws IOException {
        if (process == null) {
            return;
        }
        to.close();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroy();
        }
    }
}
