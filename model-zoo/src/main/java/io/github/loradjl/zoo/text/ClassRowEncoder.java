package io.github.loradjl.zoo.text;

import java.util.List;

/**
 * Makes rows for an encoder with a classifier: in the place of the tokens of an answer stands the
 * number of its class.
 */
final class ClassRowEncoder extends Seq2SeqRowEncoder {

    private final List<String> classes;

    ClassRowEncoder(TextTokenizer tokenizer, RowOptions options) {
        super(tokenizer, options);
        classes = options.classes();
    }

    @Override
    int[] target(String completion) {
        return new int[] {classes.indexOf(completion)};
    }
}
