package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.TextTokenizer;
import io.github.loradjl.zoo.text.chat.ChatTemplate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The messages of a conversation, of which the oldest go where the model cannot see all. */
final class ChatHistory {

    private final ChatTemplate template;
    private final TextTokenizer tokenizer;
    private final List<Map<String, String>> messages = new ArrayList<>();
    private final int kept;
    private final int maxTokens;
    private int dropped;

    /** A message that does not fit, even alone. */
    static final class TooLongException extends Exception {

        private static final long serialVersionUID = 1L;

        TooLongException(String message) {
            super(message);
        }
    }

    /**
     * Begins a conversation.
     *
     * @param system what the model is told first, and always; null for nothing
     * @param maxTokens the most tokens of all messages together, as rendered
     */
    ChatHistory(ChatTemplate template, TextTokenizer tokenizer, String system, int maxTokens) {
        this.template = template;
        this.tokenizer = tokenizer;
        this.maxTokens = maxTokens;
        if (system != null) {
            messages.add(Map.of("role", "system", "content", system));
        }
        kept = messages.size();
    }

    /**
     * Adds a message of the user.
     *
     * @return the whole conversation as the model is to see it
     * @throws TooLongException if the message does not fit alone; it is not added then
     */
    String ask(String message) throws TooLongException {
        messages.add(Map.of("role", "user", "content", message));
        dropped = 0;
        while (true) {
            String text = template.render(messages, true);
            int tokens = tokenizer.encode(text, false).length;
            if (tokens <= maxTokens) {
                return text;
            }
            if (messages.size() == kept + 1) {
                messages.remove(kept);
                throw new TooLongException(
                        "the message takes "
                                + tokens
                                + " tokens with its template, but the model has room for "
                                + maxTokens
                                + " before the answer: shorten it, or give a smaller"
                                + " --max-new-tokens");
            }
            // A question with its answer.
            messages.remove(kept);
            messages.remove(kept);
            dropped += 2;
        }
    }

    /** Returns how many messages the last question has driven out. */
    int dropped() {
        return dropped;
    }

    void answer(String text) {
        messages.add(Map.of("role", "assistant", "content", text));
    }

    void clear() {
        messages.subList(kept, messages.size()).clear();
    }
}
