package io.github.loradjl.zoo.text;

import io.github.loradjl.zoo.text.chat.ChatTemplate;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/** Turns texts into rows of tokens. */
final class RowEncoder {

    /** So many characters of a plain text are tokenised at once, which bounds memory. */
    private static final int PIECE = 200_000;

    private final TextTokenizer tokenizer;
    private final int maxLength;
    private final String promptFormat;
    private final boolean trainOnPrompt;
    private final ChatTemplate template;
    private final boolean isChat;
    private final boolean addsEnd;

    RowEncoder(TextSource source) {
        tokenizer = source.tokenizer();
        maxLength = source.maxLength();
        promptFormat = source.promptFormat();
        trainOnPrompt = source.trainOnPrompt();
        template = source.template();
        isChat = source.isChat();
        OptionalLong end = tokenizer.getEosId();
        addsEnd =
                endsWith(tokenizer.encode("a", true), end)
                        && !endsWith(tokenizer.encode("a", false), end);
    }

    TokenRow encode(RawRow row) throws IOException {
        if (row.conversation() != null) {
            return chat(row.conversation());
        }
        if (row.prompt() == null) {
            return TokenRow.of(ended(tokenizer.encode(row.completion())), 0, false, maxLength);
        }
        String prompt = promptFormat.replace(TextDatasetBuilder.PROMPT, row.prompt());
        if (isChat) {
            return chat(Conversation.of(prompt, row.completion()));
        }
        int[] before = open(tokenizer.encode(prompt));
        int[] all = ended(tokenizer.encode(prompt + row.completion()));
        int differ = Arrays.mismatch(before, all);
        int shared = differ < 0 ? before.length : differ;
        return TokenRow.of(all, trainOnPrompt ? 0 : shared, shared < before.length, maxLength);
    }

    /**
     * Encodes a conversation. The template writes all special tokens, the last one included. A
     * token is learnt if any char of it is the assistant's.
     */
    private TokenRow chat(Conversation conversation) throws IOException {
        if (template == null) {
            throw new IOException(
                    "the row has \"messages\", which take a chat template: set"
                            + " optChatTemplate(ChatTemplate.load(folder of the model))");
        }
        ChatTemplate.Rendered rendered = conversation.render(template);
        TextTokenizer.PlacedTokens tokens = tokenizer.encodePlaced(rendered.text());
        int[] ids = ints(tokens.ids());
        if (trainOnPrompt) {
            return TokenRow.of(ids, 0, false, maxLength);
        }
        List<Integer> learnt = new ArrayList<>();
        boolean straddling = false;
        int token = 0;
        for (ChatTemplate.Span answer : rendered.answers()) {
            while (token < ids.length && tokens.ends()[token] <= answer.start()) {
                token++;
            }
            learnt.add(token);
            straddling |= token < ids.length && tokens.starts()[token] < answer.start();
            while (token < ids.length && tokens.starts()[token] < answer.end()) {
                token++;
            }
            learnt.add(token);
        }
        int[] stretches = learnt.stream().mapToInt(Integer::intValue).toArray();
        return TokenRow.of(ids, stretches, straddling, maxLength);
    }

    /** Cuts one long text into blocks of the full length; only the last one may be shorter. */
    List<TokenRow> blocks(String text) {
        List<int[]> pieces = new ArrayList<>();
        pieces.add(open(tokenizer.encode("")));
        for (int from = 0; from < text.length(); ) {
            int to = pieceEnd(text, from);
            pieces.add(ints(tokenizer.encode(text.substring(from, to), false)));
            from = to;
        }
        tokenizer.getEosId().ifPresent(end -> pieces.add(new int[] {(int) end}));
        int[] all = pieces.stream().flatMapToInt(Arrays::stream).toArray();
        List<TokenRow> blocks = new ArrayList<>();
        for (int from = 0; from < all.length; from += maxLength) {
            int to = Math.min(all.length, from + maxLength);
            blocks.add(TokenRow.of(Arrays.copyOfRange(all, from, to), 0, false, maxLength));
        }
        return blocks;
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
    private int[] ended(long[] ids) {
        OptionalLong end = tokenizer.getEosId();
        int[] result = ints(ids);
        if (end.isEmpty() || endsWith(ids, end)) {
            return result;
        }
        result = Arrays.copyOf(result, result.length + 1);
        result[result.length - 1] = (int) end.getAsLong();
        return result;
    }

    /** Takes away the end token that the tokenizer puts behind any text. */
    private int[] open(long[] ids) {
        int[] result = ints(ids);
        return addsEnd ? Arrays.copyOf(result, result.length - 1) : result;
    }

    private static boolean endsWith(long[] ids, OptionalLong id) {
        return id.isPresent() && ids.length > 0 && ids[ids.length - 1] == id.getAsLong();
    }

    private static int[] ints(long[] ids) {
        return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
    }
}
