package io.github.loradjl.zoo.text;

import io.github.loradjl.zoo.text.chat.ChatTemplate;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/** Makes rows for a causal model, where prompt and completion are one text. */
final class CausalRowEncoder extends RowEncoder {

    private final int maxLength;
    private final boolean trainOnPrompt;
    private final boolean addsEnd;

    CausalRowEncoder(TextTokenizer tokenizer, RowOptions options) {
        super(tokenizer, options);
        maxLength = options.maxLength();
        trainOnPrompt = options.trainOnPrompt();
        OptionalLong end = tokenizer.getEosId();
        addsEnd =
                endsWith(tokenizer.encode("a", true), end)
                        && !endsWith(tokenizer.encode("a", false), end);
    }

    @Override
    String remedy() {
        return "raise optMaxLength or shorten the prompts";
    }

    @Override
    TokenRow text(String text, long number) {
        return TokenRow.of(ended(tokenizer().encode(text)), 0, false, maxLength);
    }

    @Override
    TokenRow pair(String prompt, String completion) {
        int[] before = open(tokenizer().encode(prompt));
        int[] all = ended(tokenizer().encode(prompt + completion));
        int differ = Arrays.mismatch(before, all);
        int shared = differ < 0 ? before.length : differ;
        return TokenRow.of(all, trainOnPrompt ? 0 : shared, shared < before.length, maxLength);
    }

    /**
     * The template writes all special tokens, the last one included. A token is learnt if any char
     * of it is the assistant's.
     */
    @Override
    TokenRow chat(Conversation conversation) throws IOException {
        ChatTemplate.Rendered rendered = conversation.render(template());
        TextTokenizer.PlacedTokens tokens = tokenizer().encodePlaced(rendered.text());
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

    /** Makes blocks of the full length; only the last one may be shorter. */
    @Override
    List<TokenRow> blocks(String text, long number) {
        OptionalLong end = tokenizer().getEosId();
        IntStream begin = Arrays.stream(open(tokenizer().encode("")));
        IntStream last = end.isPresent() ? IntStream.of((int) end.getAsLong()) : IntStream.empty();
        int[] all = IntStream.concat(IntStream.concat(begin, plain(text)), last).toArray();
        List<TokenRow> blocks = new ArrayList<>();
        for (int from = 0; from < all.length; from += maxLength) {
            int to = Math.min(all.length, from + maxLength);
            blocks.add(TokenRow.of(Arrays.copyOfRange(all, from, to), 0, false, maxLength));
        }
        return blocks;
    }

    /** Takes away the end token that the tokenizer puts behind any text. */
    private int[] open(long[] ids) {
        int[] result = ints(ids);
        return addsEnd ? Arrays.copyOf(result, result.length - 1) : result;
    }
}
