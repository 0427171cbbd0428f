package io.github.loradjl.examples.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads this process's resident memory from Linux. */
final class ResidentMemory {

    private ResidentMemory() {}

    /** Returns the resident memory now, in bytes. */
    static long now() throws IOException {
        return read("VmRSS:");
    }

    /** Returns the highest resident memory since the last {@link #resetPeak}, in bytes. */
    static long peak() throws IOException {
        return read("VmHWM:");
    }

    /** Forgets the highest resident memory so far. */
    static void resetPeak() throws IOException {
        Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    }

    private static long read(String key) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(key)) {
                return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("/proc/self/status has no " + key);
    }
}
