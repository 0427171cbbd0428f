package io.github.loradjl.examples.pretrain;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The tokens of a vocabulary that stand for no text.
 *
 * @param first those with the first ids, in their order
 * @param last those with the last ids, in their order
 * @param roles the tokens of the roles {@link #BOS}, if texts begin with one, {@link #EOS} and
 *     {@link #PAD}, in the order in which they are written down
 */
record SpecialTokens(List<String> first, List<String> last, Map<String, String> roles) {

    /** The role of the token that begins a text. */
    static final String BOS = "bos";

    /** The role of the token that ends a text. */
    static final String EOS = "eos";

    /** The role of the token that fills up a batch. */
    static final String PAD = "pad";

    /** Returns all of them, by their ids. */
    List<String> all() {
        return Stream.concat(first.stream(), last.stream()).toList();
    }
}
