package io.github.loradjl.zoo.text;

import io.github.loradjl.zoo.text.chat.ChatTemplate;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/** Turns texts into rows of tokens, for one kind of model. */
abstract class RowEncoder {

    /** So many characters of a plain text are tokenised at once, which bounds memory. */
    private static final int PIECE = 200_000;

    private final TextTokenizer tokenizer;
    private final RowOptions options;

    RowEncoder(TextTokenizer tokenizer, RowOptions options) {
        this.tokenizer = tokenizer;
        this.options = options;
    }

    static RowEncoder of(TextTokenizer tokenizer, RowOptions options) {
        if (!options.classes().isEmpty()) {
            return new ClassRowEncoder(tokenizer, options);
        }
        return options.maxTargetLength() > 0
                ? new Seq2SeqRowEncoder(tokenizer, options)
                : new CausalRowEncoder(tokenizer, options);
    }

    /** Encodes a row, whose number among all rows says what is drawn for it. */
    TokenRow encode(RawRow row, long number) throws IOException {
        if (row.conversation() != null) {
            return chat(row.conversation());
        }
        if (row.prompt() == null) {
            return text(row.completion(), number);
        }
        String prompt = options.promptFormat().replace(TextDatasetBuilder.PROMPT, row.prompt());
        return options.isChat()
                ? chat(Conversation.of(prompt, row.completion()))
                : pair(prompt, row.completion());
    }

    /** Encodes a text without a prompt. */
    abstract TokenRow text(String text, long number) throws IOException;

    /** Encodes a prompt, formatted already, and what is to follow. */
    abstract TokenRow pair(String prompt, String completion) throws IOException;

    /** Encodes a conversation through the chat template. */
    abstract TokenRow chat(Conversation conversation) throws IOException;

    /** Cuts one long text into blocks, which are numbered from the given one on. */
    abstract List<TokenRow> blocks(String text, long number) throws IOException;

    /** Says what helps where no row has anything to learn. */
    abstract String remedy();

    TextTokenizer tokenizer() {
        return tokenizer;
    }

    RowOptions options() {
        return options;
    }

    ChatTemplate template() throws IOException {
        if (options.template() == null) {
            throw new IOException(
                    "the row has \"messages\", which take a chat template: set"
                            + " optChatTemplate(ChatTemplate.load(folder of the model))");
        }
        return options.template();
    }

    /** Encodes a text of any length without adding tokens. */
    IntStream plain(String text) {
        List<int[]> pieces = new ArrayList<>();
        for (int from = 0; from < text.length(); ) {
            int to = pieceEnd(text, from);
            pieces.add(ints(tokenizer.encode(text.substring(from, to), false)));
            from = to;
        }
        return pieces.stream().flatMapToInt(Arrays::stream);
    }

    private static int pieceEnd(String text, int from) {
        int to = Math.min(text.length(), from + PIECE);
        if (to == text.length()) {
            return to;
        }
        for (int i = to; i > from; i--) {
            if (text.charAt(i - 1) == '\n' && !Character.isWhitespace(text.charAt(i))) {
                return i;
            }
        }
        return Character.isLowSurrogate(text.charAt(to)) ? to - 1 : to;
    }

    /** Adds the end token unless the tokenizer did. */
    int[] ended(long[] ids) {
        OptionalLong end = tokenizer.getEosId();
        int[] result = ints(ids);
        if (end.isEmpty() || endsWith(ids, end)) {
            return result;
        }
        result = Arrays.copyOf(result, result.length + 1);
        result[result.length - 1] = (int) end.getAsLong();
        return result;
    }

    static boolean endsWith(long[] ids, OptionalLong id) {
        return id.isPresent() && ids.length > 0 && ids[ids.length - 1] == id.getAsLong();
    }

    static int[] ints(long[] ids) {
        return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
    }
}
