package io.github.loradjl.examples.command;

import io.github.loradjl.zoo.text.PromptRow;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.evaluate.Example;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model is asked, in the words in which training asks it.
 *
 * @param list the examples
 * @param addSpecialTokens whether the prompts lack the special tokens that the tokenizer adds
 * @param maxLength the most tokens that an encoder reads of a prompt, or null for any number
 */
record Examples(List<Example> list, boolean addSpecialTokens, Integer maxLength) {

    /**
     * Reads rows for answering.
     *
     * @param data a file or folder
     * @param keys where the texts of a row are, and what stands around the prompt
     * @param limit the most rows to read
     * @param chat whether prompts are a user's messages
     * @param template the model's chat template, or null if it has none
     */
    static Examples read(
            Path data, KeyOptions keys, long limit, boolean chat, ChatTemplate template)
            throws IOException {
        List<Example> examples = new ArrayList<>();
        int conversations = 0;
        for (PromptRow row : keys.read(data, limit)) {
            conversations += row.messages() == null ? 0 : 1;
            String prompt = prompt(data, row, keys, chat, template);
            examples.add(new Example(row.id(), prompt, row.answer()));
        }
        if (!chat && conversations > 0 && conversations < examples.size()) {
            throw new IOException(
                    data
                            + " has rows with messages and rows with prompts: give --chat, so that"
                            + " all go through the chat template");
        }
        return new Examples(examples, !chat && conversations == 0, null);
    }

    /** Returns the same, of which an encoder reads as many tokens as in training. */
    Examples cutTo(Integer maxLength) {
        return new Examples(list, addSpecialTokens, maxLength);
    }

    private static String prompt(
            Path data, PromptRow row, KeyOptions keys, boolean chat, ChatTemplate template)
            throws IOException {
        if (row.prompt() == null && row.messages() == null) {
            throw new IOException(
                    data
                            + ", row "
                            + row.id()
                            + ": a text without a prompt has nothing to answer; take --metric"
                            + " loss");
        }
        if (row.messages() != null) {
            if (template == null) {
                throw new IOException(
                        data
                                + ", row "
                                + row.id()
                                + ": messages need a chat template, and the model has none");
            }
            return row.render(template);
        }
        String text = keys.format(row.prompt());
        return chat ? row.withPrompt(text).render(template) : text;
    }
}
