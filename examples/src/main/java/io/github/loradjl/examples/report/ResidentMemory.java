package io.github.loradjl.examples.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads this process's resident memory from Linux; other systems do not tell it as simply. */
public final class ResidentMemory {

    private static final Path STATUS = Path.of("/proc/self/status");

    private ResidentMemory() {}

    /**
     * Returns the resident memory now.
     *
     * @return bytes
     * @throws IOException if the system does not tell
     */
    public static long now() throws IOException {
        return read("VmRSS:");
    }

    /**
     * Returns the highest resident memory of the process, or since the last {@link #resetPeak}.
     *
     * @return bytes
     * @throws IOException if the system does not tell
     */
    public static long peak() throws IOException {
        return read("VmHWM:");
    }

    /**
     * Returns the highest resident memory where it is known.
     *
     * @return millions of bytes, or null
     */
    public static Double peakMegabytes() {
        try {
            return Files.exists(STATUS) ? peak() / 1e6 : null;
        } catch (IOException e) {
            return null; // A system that has the file but not this figure.
        }
    }

    /**
     * Forgets the highest resident memory so far.
     *
     * @throws IOException if the system cannot
     */
    public static void resetPeak() throws IOException {
        Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    }

    private static long read(String key) throws IOException {
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith(key)) {
                return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException(STATUS + " has no " + key);
    }
}
