package io.github.loradjl.examples.pretrain;

import java.util.List;

/**
 * A little story with questions that its text answers.
 *
 * @param text the story, one paragraph
 * @param questions what one may ask about it; some stories have none
 */
public record Story(String text, List<Question> questions) {

    /**
     * A question about a story.
     *
     * @param text the question, with its question mark
     * @param answer the answer, in words that stand in the story
     */
    public record Question(String text, String answer) {}
}
