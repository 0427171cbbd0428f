package io.github.loradjl.zoo.text;

import io.github.loradjl.zoo.text.chat.ChatTemplate;
import io.github.loradjl.zoo.text.task.ClassificationTask;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A row of a data file, of the kinds that {@link TextDataset} reads, as what a model is asked and
 * what it should answer. Of a conversation the last message of the assistant is the answer, and the
 * messages before it are what is asked.
 *
 * @param id the row's line, after the file's name where the rows are those of a folder
 * @param prompt what is asked; null for a conversation, and for a text without a prompt
 * @param messages the messages before the answer; null for all but a conversation
 * @param variables further variables of the chat template, as {@code tools}
 * @param answer what should be answered; of a text without a prompt, the text
 */
public record PromptRow(
        String id,
        String prompt,
        List<Map<String, Object>> messages,
        Map<String, Object> variables,
        String answer) {

    /**
     * The keys of the texts of a row.
     *
     * @param prompt the key of the prompt
     * @param completion the key of the answer
     * @param text the key of a text without a prompt
     */
    public record Keys(String prompt, String completion, String text) {}

    /**
     * Reads rows.
     *
     * @param path a {@code .jsonl}, {@code .csv} or {@code .tsv} file, or a folder of them
     * @param keys the keys of rows with a prompt and of those with a text
     * @param limit the most rows to read
     * @return the rows in their order, at least one
     * @throws IOException if a file cannot be read, has no rows or a malformed one, which is named;
     *     or is a {@code .txt} file, which has no prompts
     */
    public static List<PromptRow> read(Path path, Keys keys, long limit) throws IOException {
        return read(path, new RawRow.Keys(keys.text(), keys.prompt(), keys.completion()), limit);
    }

    /**
     * Reads the rows of a task, with the texts of labels as answers.
     *
     * @param path a file or folder as for {@link #read(Path, Keys, long)}
     * @param task the task
     * @param limit the most rows to read
     * @return the rows in their order, at least one
     * @throws IOException as for {@link #read(Path, Keys, long)}, and if a row lacks a column or
     *     has an unknown label
     */
    public static List<PromptRow> read(Path path, ClassificationTask task, long limit)
            throws IOException {
        return read(path, new TaskFormat(task), limit);
    }

    private static List<PromptRow> read(Path path, RowFormat format, long limit)
            throws IOException {
        List<PromptRow> rows = new ArrayList<>();
        List<Path> files = DataFiles.list(path);
        for (Path file : files) {
            if (DataFiles.isText(file)) {
                throw new IOException(file + " is plain text: it has no prompts to answer");
            }
            String prefix = files.size() == 1 ? "" : file.getFileName() + ":";
            DataFiles.read(
                    file,
                    format,
                    limit - rows.size(),
                    (row, line) -> rows.add(of(prefix + line, row)));
        }
        return rows;
    }

    private static PromptRow of(String id, RawRow row) throws IOException {
        if (row.conversation() == null) {
            return new PromptRow(id, row.prompt(), null, Map.of(), row.completion());
        }
        Conversation.Turn turn = row.conversation().lastTurn();
        return new PromptRow(
                id, null, turn.before(), row.conversation().variables(), turn.answer());
    }

    /**
     * Asks in other words.
     *
     * @param text what is asked instead
     * @return the row with that prompt
     */
    public PromptRow withPrompt(String text) {
        return new PromptRow(id, text, messages, variables, answer);
    }

    /**
     * Renders what is asked, up to where the model begins to answer.
     *
     * @param template the model's chat template
     * @return the text, with all special tokens
     * @throws IllegalArgumentException if the template refuses the messages, or there is neither a
     *     prompt nor a message
     */
    public String render(ChatTemplate template) {
        if (messages != null) {
            return template.render(messages, true, variables).text();
        }
        if (prompt == null) {
            throw new IllegalArgumentException("row " + id + " has no prompt");
        }
        return template.render(List.of(Map.of("role", "user", "content", prompt)), true);
    }
}
