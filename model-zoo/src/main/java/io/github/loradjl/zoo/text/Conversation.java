package io.github.loradjl.zoo.text;

import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.chat.ChatTemplate.Rendered;
import io.github.loradjl.zoo.text.chat.ChatTemplate.Span;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The messages of a row, of which the assistant's are learnt.
 *
 * <p>A template with generation blocks says itself where the answers are. With any other, an answer
 * is what its message adds to the text of the messages before it, from where the model would begin
 * to write, up to and with what ends the turn. That works as long as later messages leave the text
 * of earlier ones as it was; where they do not, there is no telling, and the row is an error.
 */
record Conversation(List<Map<String, Object>> messages, Map<String, Object> variables) {

    static final String ASSISTANT = "assistant";

    /** Makes a question and its answer a conversation. */
    static Conversation of(String question, String answer) {
        return new Conversation(
                List.of(
                        Map.of("role", "user", "content", question),
                        Map.of("role", ASSISTANT, "content", answer)),
                Map.of());
    }

    /** What stands before the last answer, and the answer. */
    record Turn(List<Map<String, Object>> before, String answer) {}

    /** Finds the last message of the assistant. */
    Turn lastTurn() throws IOException {
        int last = messages.size() - 1;
        while (!ASSISTANT.equals(messages.get(last).get("role"))) {
            last--;
        }
        if (!(messages.get(last).get("content") instanceof String answer)) {
            throw new IOException(
                    "the content of the assistant's last message is not a string: there is no text"
                            + " to answer with");
        }
        if (last == 0) {
            throw new IOException("the assistant's message comes first: nothing is asked");
        }
        return new Turn(List.copyOf(messages.subList(0, last)), answer);
    }

    /** Renders the conversation and finds the answers. */
    Rendered render(ChatTemplate template) throws IOException {
        try {
            Rendered rendered = template.render(messages, false, variables);
            return template.marksAnswers()
                    ? rendered
                    : new Rendered(rendered.text(), answers(template, rendered.text()));
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private List<Span> answers(ChatTemplate template, String text) throws IOException {
        List<Span> answers = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            if (!ASSISTANT.equals(messages.get(i).get("role"))) {
                continue;
            }
            String before = template.render(messages.subList(0, i), true, variables).text();
            String after = template.render(messages.subList(0, i + 1), false, variables).text();
            if (!after.startsWith(before) || !text.startsWith(after)) {
                throw new IOException(
                        "the chat template writes message "
                                + (i + 1)
                                + " differently once others follow it, so its answer cannot be"
                                + " found; give a template that marks answers by {% generation %}");
            }
            answers.add(new Span(before.length(), after.length()));
        }
        return answers;
    }
}
