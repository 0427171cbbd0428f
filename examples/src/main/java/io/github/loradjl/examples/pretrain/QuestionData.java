package io.github.loradjl.examples.pretrain;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Makes the fine-tuning data that ships: a story and a question as the prompt, the answer as the
 * completion. The pretraining text has stories but neither questions about them nor answers, so
 * this is a skill that the pretrained model lacks.
 */
public final class QuestionData {

    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    private QuestionData() {}

    /**
     * Writes a training and a validation file; no story stands in both.
     *
     * @param folder an existing folder, gets {@code train.jsonl} and {@code validation.jsonl}
     * @param train the number of training rows
     * @param validation the number of validation rows
     * @param seed the seed of the stories and of the choice of questions
     * @throws IOException if a file cannot be written
     */
    public static void write(Path folder, int train, int validation, long seed) throws IOException {
        StoryGrammar grammar = new StoryGrammar(seed);
        Random random = new Random(seed);
        Set<String> told = new LinkedHashSet<>();
        List<String> rows = new ArrayList<>();
        while (rows.size() < train + validation) {
            Story story = grammar.next();
            List<Story.Question> questions = story.questions();
            if (!questions.isEmpty() && told.add(story.text())) {
                rows.add(row(story, questions.get(random.nextInt(questions.size()))));
            }
        }
        Files.write(folder.resolve("train.jsonl"), rows.subList(0, train));
        Files.write(folder.resolve("validation.jsonl"), rows.subList(train, rows.size()));
    }

    private static String row(Story story, Story.Question question) {
        Map<String, String> row = new LinkedHashMap<>();
        row.put("prompt", story.text() + "\nQ: " + question.text() + "\nA:");
        row.put("completion", " " + question.answer());
        return GSON.toJson(row);
    }
}
