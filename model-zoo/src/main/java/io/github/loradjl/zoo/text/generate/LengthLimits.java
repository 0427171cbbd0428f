package io.github.loradjl.zoo.text.generate;

/**
 * How many tokens may follow a prompt.
 *
 * @param isApart whether an encoder reads the prompt, apart from what follows
 * @param config how tokens are chosen
 * @param maxLength the most tokens of prompt and continuation together, or of each if apart
 */
record LengthLimits(boolean isApart, GenerationConfig config, int maxLength) {

    LengthLimits {
        if (maxLength <= 0) {
            throw new IllegalArgumentException("maxLength must be positive, not " + maxLength);
        }
    }

    GenerationConfig of(long[] prompt) {
        int left = isApart ? maxLength : maxLength - prompt.length;
        if (prompt.length > maxLength || left <= 0) {
            throw new IllegalArgumentException(
                    "the prompt has "
                            + prompt.length
                            + " tokens and leaves no room for an answer within maxLength "
                            + maxLength
                            + "; shorten it, or allow more");
        }
        return config.withMaxNewTokens(Math.min(config.getMaxNewTokens(), left));
    }
}
