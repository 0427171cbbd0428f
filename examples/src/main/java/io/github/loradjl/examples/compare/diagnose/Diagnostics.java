package io.github.loradjl.examples.compare.diagnose;

import ai.djl.MalformedModelException;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.github.loradjl.examples.compare.Method;
import io.github.loradjl.examples.compare.Setup;
import io.github.loradjl.internal.AtomicFile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** Looks behind a comparison. What was found is kept in a file each, and not looked for again. */
public final class Diagnostics {

    private static final int ALIGNED_STEPS = 50;
    private static final Gson GSON = new GsonBuilder().setPrettyPrinting().create();

    private final Setup setup;
    private final List<Method> methods;
    private final double rate;
    private final Path folder;

    /** What can be looked at. */
    public enum Kind {
        /** Singular values of the gradient. */
        SPECTRA(Spectra.class),
        /** Steps of adapters beside those of full fine-tuning. */
        ALIGNMENT(Alignment.class),
        /** The size of LoRA-GA's branch as layers and ranks grow; no model is needed. */
        MOMENTS(Moments.class);

        private final Class<? extends Diagnosis> type;

        Kind(Class<? extends Diagnosis> type) {
            this.type = type;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Creates diagnostics.
     *
     * @param setup what the runs of the comparison have in common
     * @param methods its methods
     * @param rate the rate at which steps are compared
     * @param folder where to keep what is found
     */
    public Diagnostics(Setup setup, List<Method> methods, double rate, Path folder) {
        this.setup = setup;
        this.methods = methods.stream().filter(m -> m.kind() != Method.Kind.FULL).toList();
        this.rate = rate;
        this.folder = folder;
    }

    /**
     * Looks.
     *
     * @param kinds at what
     * @param title the model
     * @param plots the folder for plots
     * @param listener told what is being looked at
     * @return what was found, as Markdown with the plots
     * @throws IOException if a file cannot be read or written
     * @throws MalformedModelException if the model is broken
     */
    public String run(List<Kind> kinds, String title, Path plots, Consumer<Kind> listener)
            throws IOException, MalformedModelException {
        List<String> texts = new ArrayList<>();
        for (Kind kind : kinds) {
            Path file = folder.resolve(kind + ".json");
            Diagnosis found =
                    Files.exists(file) ? GSON.fromJson(Files.readString(file), kind.type) : null;
            if (found == null || !found.covers(methods)) {
                listener.accept(kind);
                found = measure(kind);
                Files.createDirectories(folder);
                AtomicFile.writeString(file, GSON.toJson(found) + "\n");
            }
            StringBuilder text = new StringBuilder(found.markdown());
            for (String plot : found.plot(plots, title)) {
                text.append("\n![").append(plot).append("](").append(plot).append(")\n");
            }
            texts.add(text.toString());
        }
        return String.join("\n", texts);
    }

    private Diagnosis measure(Kind kind) throws IOException, MalformedModelException {
        return switch (kind) {
            case SPECTRA -> Spectra.measure(setup);
            case ALIGNMENT ->
                    Alignment.measure(
                            setup, methods, rate, Math.min(ALIGNED_STEPS, setup.recipe().steps()));
            case MOMENTS -> Moments.measure();
        };
    }
}
