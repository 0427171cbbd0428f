package io.github.loradjl.examples.doctor;

import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** One screen of facts, and below it what is wrong and what to do. */
public final class Findings {

    private static final String ROW = "%-14s%s%n";

    private final List<String[]> facts = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();

    /** Creates findings without anything found. */
    Findings() {}

    /**
     * Looks at everything. What is wrong with one thing keeps none of the others from being looked
     * at.
     *
     * @return what was found
     */
    public static Findings look() {
        Findings findings = new Findings();
        EngineFindings.add(findings);
        PlaceFindings.add(findings);
        ZooFindings.add(findings);
        return findings;
    }

    void fact(String name, String format, Object... values) {
        facts.add(new String[] {name, String.format(Locale.ROOT, format, values)});
    }

    /** Adds what is wrong, and what to do about it. */
    void problem(String wrong, String remedy) {
        problems.add(wrong + ". " + remedy + ".");
    }

    /**
     * Returns what is wrong.
     *
     * @return one text for each thing, with what to do
     */
    public List<String> getProblems() {
        return List.copyOf(problems);
    }

    /**
     * Writes all of it.
     *
     * @param out where to
     */
    public void print(PrintWriter out) {
        for (String[] fact : facts) {
            String name = fact[0];
            for (String line : fact[1].split("\n")) {
                out.printf(ROW, name, line);
                name = "";
            }
        }
        out.println();
        if (problems.isEmpty()) {
            out.println("All is well.");
        } else {
            out.println(problems.size() == 1 ? "Wrong is:" : "Wrong are:");
            problems.forEach(problem -> out.println("- " + problem));
        }
        out.flush();
    }

    /**
     * Says in one line why something was thrown: the first cause says most.
     *
     * @param thrown what was thrown
     * @return its first cause's message
     */
    public static String reason(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        boolean isName = cause instanceof FileSystemException e && e.getReason() == null;
        String message = String.valueOf(isName ? cause : cause.getMessage()).strip();
        String line = message.replaceAll("\\s*\\R\\s*", " ").replaceAll("\\.$", "");
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : line;
    }

    static String size(long bytes) {
        return bytes < 1_000_000_000L
                ? String.format(Locale.ROOT, "%.0f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }
}
