package io.github.loradjl.zoo.text;

import io.github.loradjl.zoo.text.chat.ChatTemplate;

import java.util.List;

/**
 * How texts become rows of tokens.
 *
 * @param promptFormat what stands around a prompt
 * @param trainOnPrompt whether prompts are learnt
 * @param template the chat template, or null
 * @param isChat whether prompts and completions become conversations
 * @param maxLength the most tokens of a row, or of what an encoder reads
 * @param maxTargetLength the most tokens that a decoder is to write; 0 without an encoder
 * @param classes the answers whose numbers are learnt in their place; none for tokens
 * @param seed the seed of what is drawn for a row
 */
record RowOptions(
        String promptFormat,
        boolean trainOnPrompt,
        ChatTemplate template,
        boolean isChat,
        int maxLength,
        int maxTargetLength,
        List<String> classes,
        long seed) {}
