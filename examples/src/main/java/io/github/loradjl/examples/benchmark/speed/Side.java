package io.github.loradjl.examples.benchmark.speed;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A worker's process, from the side of who gives it work. */
final class Side implements AutoCloseable {

    private final String name;
    private final Process process;
    private final PrintStream to;
    private final BufferedReader from;
    private final List<Turn> turns = new ArrayList<>();

    /**
     * What came of one turn.
     *
     * @param seconds how long it took
     * @param value the loss or another number that both sides must agree on, or NaN
     * @param peak the highest resident memory of the process so far, in bytes
     */
    record Turn(double seconds, double value, long peak) {}

    Side(String name, List<String> command) throws IOException {
        this.name = name;
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
        to.println();
        JsonObject json = answer();
        Turn turn =
                new Turn(
                        json.get("seconds").getAsDouble(),
                        json.has("value") ? json.get("value").getAsDouble() : Double.NaN,
                        json.get("peak").getAsLong());
        turns.add(turn);
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
        to.close();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroy();
        }
    }
}
