package io.github.loradjl.examples.doctor;

import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.TinyStoryT5;
import io.github.loradjl.zoo.repository.AdapterRepositories;
import io.github.loradjl.zoo.text.TextTokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The models that ship, the tokenizers' natives, and the repositories of adapters. */
final class ZooFindings {

    private ZooFindings() {}

    /** Where a model that ships is unpacked. */
    @FunctionalInterface
    private interface Shipped {
        Path folder() throws IOException;
    }

    static void add(Findings findings) {
        List<String> models = new ArrayList<>();
        shipped(findings, models, TinyStoryLlama.NAME, TinyStoryLlama::folder);
        shipped(findings, models, TinyStoryT5.NAME, TinyStoryT5::folder);
        findings.fact("models", "%s", models.isEmpty() ? "none" : String.join(", ", models));
        List<AdapterRepositories.Configured> configured = AdapterRepositories.configured();
        findings.fact(
                "repositories",
                "%s",
                configured.isEmpty()
                        ? "none (LORA_REPOSITORIES)"
                        : String.join(
                                "%n".formatted(),
                                configured.stream().map(ZooFindings::line).toList()));
        for (AdapterRepositories.Configured one : configured) {
            for (String problem : one.problems()) {
                findings.problem(
                        "Repository " + one.location() + ": " + problem,
                        "Correct LORA_REPOSITORIES, or see examples/lora adapters REPO");
            }
        }
    }

    private static String line(AdapterRepositories.Configured one) {
        if (one.repository() == null) {
            return one.location() + ", does not open";
        }
        int adapters = one.repository().getEntries().size();
        return one.location() + ", " + adapters + (adapters == 1 ? " adapter" : " adapters");
    }

    private static void shipped(
            Findings findings, List<String> models, String name, Shipped shipped) {
        try {
            Path folder = shipped.folder();
            try (TextTokenizer tokenizer = TextTokenizer.load(folder)) {
                tokenizer.encode("Once");
            }
            models.add(name);
        } catch (IOException | RuntimeException | LinkageError e) {
            findings.problem(
                    "The model that ships, " + name + ", does not load: " + Findings.reason(e),
                    "See what is said of DJL's cache, and build again with mvn clean package");
        }
    }
}
