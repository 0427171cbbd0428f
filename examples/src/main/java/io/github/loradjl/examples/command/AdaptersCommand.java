package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.repository.AdapterEntry;
import io.github.loradjl.zoo.repository.AdapterRepository;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/** Lists the adapters of a repository and verifies them. */
@Command(
        name = "adapters",
        header = "Lists the adapters of a repository.",
        description =
                "Lists what a repository holds, and holds each archive against its checksums. Ends"
                        + " with exit code 1 if anything is damaged.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExample:%n",
        footer = {
            "  examples/lora adapters repository",
            "  examples/lora adapters https://example.com/adapters --no-verify"
        },
        sortOptions = false)
public final class AdaptersCommand implements Callable<Integer> {

    private static final List<String> HEAD =
            List.of("name", "version", "base", "method", "rank", "size", "metrics", "files");

    @Spec private CommandSpec spec;

    @Parameters(paramLabel = "REPO", description = "A folder, a jar, or a URL with http.")
    private String repository;

    @Option(
            names = "--no-verify",
            fallbackValue = "true",
            description = "List only, without reading the archives.")
    private boolean isListOnly;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        AdapterRepository opened = AdapterRepository.open(repository);
        List<String> problems = new ArrayList<>(opened.getProblems());
        List<List<String>> rows = new ArrayList<>(List.of(HEAD));
        for (AdapterEntry entry : opened.getEntries()) {
            rows.add(row(entry, isListOnly ? "-" : verify(opened, entry, problems)));
        }
        print(rows, out);
        problems.forEach(problem -> err.println("lora: " + problem));
        return problems.isEmpty() ? 0 : 1;
    }

    private static String verify(
            AdapterRepository opened, AdapterEntry entry, List<String> problems) {
        try {
            Interruption.check();
            opened.verify(entry);
            return "right";
        } catch (IOException e) {
            problems.add(e.getMessage());
            return "damaged";
        }
    }

    private static List<String> row(AdapterEntry entry, String state) {
        String metrics =
                entry.metrics().entrySet().stream()
                        .filter(e -> e.getKey().startsWith("eval") || e.getKey().equals("loss"))
                        .map(e -> String.format(Locale.ROOT, "%s %.4g", e.getKey(), e.getValue()))
                        .collect(Collectors.joining(", "));
        return List.of(
                entry.groupId() + ":" + entry.artifactId(),
                entry.version(),
                entry.properties().get("base"),
                entry.properties().getOrDefault("method", "-"),
                entry.properties().getOrDefault("rank", "-"),
                size(entry.archive().size()),
                metrics.isEmpty() ? "-" : metrics,
                state);
    }

    private static String size(long bytes) {
        return bytes < 1_000_000
                ? String.format(Locale.ROOT, "%.1f kB", bytes / 1e3)
                : String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }

    private static void print(List<List<String>> rows, PrintWriter out) {
        int[] widths = new int[HEAD.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
            }
            out.println(line.toString().stripTrailing());
        }
    }
}
