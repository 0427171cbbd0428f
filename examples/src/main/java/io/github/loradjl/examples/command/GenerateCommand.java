package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** Continues texts. */
@Command(
        name = "generate",
        header = "Continues a text.",
        description =
                "Continues a text and writes the continuation to standard output, the most probable"
                        + " token each time unless something asks for sampling. Several texts are"
                        + " continued in batches, and each gives a line of JSON with prompt and"
                        + " output.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  examples/lora generate --model DIR --adapter run/adapter --prompt \"Once upon a"
                    + " time\"",
            "  examples/lora generate --model DIR --chat --prompts questions.txt > answers.jsonl"
        },
        sortOptions = false)
public final class GenerateCommand implements Callable<Integer> {

    private static final int TOKENS = 128;
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    @Spec private CommandSpec spec;

    @Mixin(name = "Model")
    private ModelOptions modelOptions;

    @Option(
            names = "--adapter",
            paramLabel = "ADAPTER",
            description = NamedAdapter.DESCRIPTION + " (default: the model alone).")
    private String adapter;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "The text to continue; may be given several times.")
    private List<String> prompts = List.of();

    @Option(
            names = "--prompts",
            paramLabel = "FILE",
            description = "Texts to continue, one per line.")
    private Path promptsFile;

    @Option(
            names = "--chat",
            fallbackValue = "true",
            description =
                    "Ask instead: each text is a user's message in the model's chat template.")
    private boolean chat;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            defaultValue = "8",
            converter = Numbers.Positive.class,
            description = "Texts to continue together (default: ${DEFAULT-VALUE}).")
    private int batchSize;

    @Mixin(name = "Generation")
    private GenerationOptions generationOptions;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException {
        GenerationConfig config = generationOptions.config(spec.commandLine(), TOKENS);
        if (prompts.isEmpty() == (promptsFile == null)) {
            throw new ParameterException(
                    spec.commandLine(), "give the texts by --prompt, or by --prompts FILE");
        }
        List<String> given = promptsFile == null ? prompts : lines(promptsFile);
        ChatTemplate template = chat ? ChatTemplate.load(modelOptions.folder()) : null;
        List<String> texts = given.stream().map(prompt -> render(template, prompt)).toList();
        Path folder = NamedAdapter.find("--adapter", adapter);
        try (LoadedModel loaded = LoadedModel.open(modelOptions, folder)) {
            TextGenerator generator = new TextGenerator(loaded.model(), loaded.tokenizer(), !chat);
            if (promptsFile == null && texts.size() == 1) {
                stream(generator, texts.get(0), config);
            } else {
                writeLines(generator, given, texts, config);
            }
        }
        return 0;
    }

    private static String render(ChatTemplate template, String prompt) {
        return template == null
                ? prompt
                : template.render(List.of(Map.of("role", "user", "content", prompt)), true);
    }

    private static List<String> lines(Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        try {
            lines.addAll(Files.readAllLines(file));
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": not valid UTF-8; convert the file to UTF-8", e);
        }
        lines.removeIf(String::isBlank);
        if (lines.isEmpty()) {
            throw new IOException("--prompts " + file + " holds no text");
        }
        return lines;
    }

    private void stream(TextGenerator generator, String text, GenerationConfig config) {
        PrintWriter out = spec.commandLine().getOut();
        generator.generate(
                text,
                config,
                piece -> {
                    Interruption.check();
                    out.print(piece);
                    out.flush();
                });
        out.println();
        out.flush();
    }

    private void writeLines(
            TextGenerator generator,
            List<String> given,
            List<String> texts,
            GenerationConfig config) {
        PrintWriter out = spec.commandLine().getOut();
        for (int from = 0; from < texts.size(); from += batchSize) {
            int to = Math.min(texts.size(), from + batchSize);
            List<String> outputs =
                    generator.generate(texts.subList(from, to), config, Interruption::check);
            for (int i = from; i < to; i++) {
                JsonObject line = new JsonObject();
                line.addProperty("prompt", given.get(i));
                line.addProperty("output", outputs.get(i - from));
                out.println(GSON.toJson(line));
            }
            out.flush();
        }
    }
}
