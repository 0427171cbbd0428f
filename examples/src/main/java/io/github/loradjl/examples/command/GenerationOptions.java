package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.generate.GenerationConfig;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** How text is generated: the most probable token each time, unless something asks for sampling. */
final class GenerationOptions {

    @Option(
            names = "--max-new-tokens",
            paramLabel = "N",
            description = "Most tokens to generate (default: 128; 512 in chat).")
    private Integer maxNewTokens;

    @Option(
            names = "--greedy",
            fallbackValue = "true",
            description =
                    "Take the most probable token each time; the default unless one of the next"
                            + " four is given.")
    private boolean greedy;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "Sample, with logits divided by T.")
    private Float temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Sample from the K most probable tokens.")
    private Integer topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Sample from the smallest set of tokens with probability P.")
    private Float topP;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Sample, with the random draws of this seed (0 if sampling without it).")
    private Long seed;

    @Option(
            names = "--num-beams",
            paramLabel = "N",
            description = "Search with N beams for a more probable text (default: 1).")
    private Integer numBeams;

    @Option(
            names = "--length-penalty",
            paramLabel = "X",
            description =
                    "Power of the length by which a beam's log-probability is divided; larger ones"
                            + " favour longer texts (default: 1).")
    private Double lengthPenalty;

    GenerationConfig config(CommandLine command, int defaultTokens) {
        boolean sampled = temperature != null || topK != null || topP != null || seed != null;
        if (greedy && sampled) {
            throw new ParameterException(
                    command, "--greedy does not go with --temperature, --top-k, --top-p or --seed");
        }
        GenerationConfig.Builder builder =
                GenerationConfig.builder()
                        .optMaxNewTokens(maxNewTokens == null ? defaultTokens : maxNewTokens)
                        .optSample(sampled);
        if (temperature != null) {
            builder.optTemperature(temperature);
        }
        if (topK != null) {
            builder.optTopK(topK);
        }
        if (topP != null) {
            builder.optTopP(topP);
        }
        if (seed != null) {
            builder.optSeed(seed);
        }
        if (numBeams != null) {
            builder.optBeams(numBeams);
        }
        if (lengthPenalty != null) {
            builder.optLengthPenalty(lengthPenalty);
        }
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command, e.getMessage(), e);
        }
    }
}
