package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;

import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.generate.GenerationConfig;
import io.github.loradjl.zoo.text.generate.TextGenerator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;

/** Talks with a model. */
@Command(
        name = "chat",
        header = "Talks with a model.",
        description =
                "Reads messages from standard input, one per line, and writes the model's answers"
                        + " to standard output as they come. The model's own chat template is used,"
                        + " and earlier messages are remembered. An empty line, /quit or the end of"
                        + " the input ends the conversation; /reset forgets it.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExample:%n",
        footer = {
            "  examples/lora chat --model SmolLM2-135M-Instruct --system \"Answer briefly.\""
        },
        sortOptions = false)
public final class ChatCommand implements Callable<Integer> {

    private static final int TOKENS = 512;

    @Spec private CommandSpec spec;

    @Mixin(name = "Model")
    private ModelOptions modelOptions;

    @Option(
            names = "--adapter",
            paramLabel = "ADAPTER",
            description = NamedAdapter.DESCRIPTION + " (default: the model alone).")
    private String adapter;

    @Option(
            names = "--system",
            paramLabel = "TEXT",
            description =
                    "What the model is told before the conversation (default: what its chat"
                            + " template says by itself).")
    private String system;

    @Mixin(name = "Generation")
    private GenerationOptions generationOptions;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    private PrintWriter out;
    private PrintWriter err;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException {
        out = spec.commandLine().getOut();
        err = spec.commandLine().getErr();
        GenerationConfig config = generationOptions.config(spec.commandLine(), TOKENS);
        ChatTemplate template = ChatTemplate.load(modelOptions.folder());
        Path folder = NamedAdapter.find("--adapter", adapter);
        try (LoadedModel loaded = LoadedModel.open(modelOptions, folder)) {
            ChatHistory history =
                    new ChatHistory(
                            template,
                            loaded.tokenizer(),
                            system,
                            loaded.maxLength() - config.getMaxNewTokens());
            TextGenerator generator = new TextGenerator(loaded.model(), loaded.tokenizer(), false);
            talk(history, generator, config);
        }
        return 0;
    }

    private void talk(ChatHistory history, TextGenerator generator, GenerationConfig config)
            throws IOException {
        boolean marked = System.console() != null;
        // The input stays open: it is the process's.
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, charset(marked)));
        while (true) {
            String message = readLine(in, marked);
            if (message == null || message.isBlank() || message.strip().equals("/quit")) {
                return;
            }
            if (message.strip().equals("/reset")) {
                history.clear();
                err.println("the conversation is forgotten");
                continue;
            }
            String text;
            try {
                text = history.ask(message);
            } catch (ChatHistory.TooLongException e) {
                err.println(e.getMessage());
                continue;
            }
            if (history.dropped() > 0) {
                err.println(
                        "the conversation is longer than the model can see; the first "
                                + history.dropped()
                                + " of its messages are forgotten");
            }
            history.answer(generator.generate(text, config, this::print));
            out.println();
            out.flush();
        }
    }

    private void print(String piece) {
        Interruption.check();
        out.print(piece);
        out.flush();
    }

    private String readLine(BufferedReader in, boolean marked) throws IOException {
        if (marked) {
            err.print("> ");
            err.flush();
        }
        Interruption.setWaiting(true);
        try {
            return in.readLine();
        } finally {
            Interruption.setWaiting(false);
        }
    }

    /** A terminal has the system's encoding; a file is taken for UTF-8. */
    private static Charset charset(boolean isTerminal) {
        return isTerminal ? System.console().charset() : StandardCharsets.UTF_8;
    }
}
