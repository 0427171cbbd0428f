package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.examples.compare.CellResult;
import io.github.loradjl.examples.compare.ComparisonPlots;
import io.github.loradjl.examples.compare.ComparisonTables;
import io.github.loradjl.examples.compare.Method;
import io.github.loradjl.examples.compare.Setup;
import io.github.loradjl.examples.compare.diagnose.Diagnostics;
import io.github.loradjl.examples.report.Decimals;
import io.github.loradjl.internal.AtomicFile;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;

/** Writes what a comparison came to, and under which conditions. */
final class CompareReport {

    private final Path out;
    private final String title;
    private final List<String> conditions;
    private final CompareOptions options;
    private final Setup setup;

    CompareReport(
            Path out, String title, List<String> conditions, CompareOptions options, Setup setup) {
        this.out = out;
        this.title = title;
        this.conditions = conditions;
        this.options = options;
        this.setup = setup;
    }

    void write(List<CellResult> results, List<Method> methods, boolean isDiagnosed, PrintStream err)
            throws IOException, MalformedModelException {
        String metric = setup.metric() == null ? null : setup.metric().name();
        ComparisonTables tables =
                new ComparisonTables(
                        results,
                        options.reference(),
                        options.commonRate(),
                        options.maxSteps(),
                        metric);
        tables.writeCsv(out.resolve("results.csv"));
        List<String> plots = new ComparisonPlots(tables, title, metric, setup.recipe()).write(out);
        StringBuilder text = new StringBuilder("# " + title + "\n\n");
        appendConditions(text);
        text.append(tables.markdown());
        text.append("\n## Pictures\n");
        plots.forEach(plot -> text.append("\n![" + plot + "](" + plot + ")\n"));
        // Diagnostics take long, and may fail; the results do not wait for them.
        AtomicFile.writeString(out.resolve("results.md"), text.toString());
        err.println();
        err.println(tables.markdown().strip());
        if (isDiagnosed) {
            String found = diagnose(methods, tables.commonRate(), err);
            if (!found.isEmpty()) {
                AtomicFile.writeString(out.resolve("results.md"), text + "\n" + found);
            }
        }
    }

    private void appendConditions(StringBuilder text) {
        LoraConfig adapter = setup.recipe().adapter();
        conditions.forEach(line -> text.append("- ").append(line).append('\n'));
        text.append("- adapters: rank ").append(adapter.getRank());
        text.append(", alpha ").append(Decimals.text(adapter.getAlpha()));
        text.append(" unless a method says otherwise; scaled by alpha / r, rslora and lora-ga by");
        text.append(" alpha / sqrt(r)\n");
        text.append("- seeds: the order of the rows and what is drawn for a start; the gradient");
        text.append(" of lora-ga is that of the same ");
        text.append(setup.recipe().calibrationBatches()).append(" batches for all\n");
        text.append("- written on ").append(LocalDate.now()).append("\n\n");
    }

    private String diagnose(List<Method> methods, Double commonRate, PrintStream err)
            throws IOException, MalformedModelException {
        double rate = commonRate == null ? options.grid().rates().get(0) : commonRate;
        return new Diagnostics(setup, methods, rate, out.resolve("diagnostics"))
                .run(
                        options.diagnostics(),
                        title,
                        out,
                        what -> {
                            Interruption.check();
                            err.println("looking at: " + what);
                        });
    }
}
