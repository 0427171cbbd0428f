package io.github.loradjl.examples.pretrain;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Tells little stories in plain English, drawn from a grammar.
 *
 * <p>The grammar is the text file {@code stories.txt} beside this class, which explains its own
 * notation: plots, rules, choices, and slots that {@link StoryWorld} fills. A story follows one
 * plot. Things happen for a reason, numbers add up, and later sentences come back to earlier ones,
 * so that a model that predicts the next word well has to look back at who had what, and where.
 *
 * <p>The same seed tells the same stories on every machine.
 */
public final class StoryGrammar {

    private static final String RESOURCE = "stories.txt";

    private final Map<String, Plot> plots = new LinkedHashMap<>();
    private final Map<String, List<String>> rules = new LinkedHashMap<>();
    private final List<String> plotNames;
    private final Random random;

    /** A plot as it stands in the grammar, nothing expanded yet. */
    private record Plot(List<String> lines, List<Story.Question> questions) {}

    /**
     * Reads the grammar.
     *
     * @param seed the seed of the stories
     */
    public StoryGrammar(long seed) {
        this(readResource(), seed);
    }

    StoryGrammar(String grammar, long seed) {
        random = new Random(seed);
        parse(grammar);
        plotNames = List.copyOf(plots.keySet());
    }

    private static String readResource() {
        try (InputStream in = StoryGrammar.class.getResourceAsStream(RESOURCE)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void parse(String grammar) {
        List<String> lines = List.of();
        List<Story.Question> questions = List.of();
        for (String line : grammar.lines().map(String::strip).toList()) {
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("plot ")) {
                lines = new ArrayList<>();
                questions = new ArrayList<>();
                plots.put(line.substring(5), new Plot(lines, questions));
            } else if (line.startsWith("rule ")) {
                lines = new ArrayList<>();
                rules.put(line.substring(5), lines);
            } else if (line.startsWith("? ")) {
                int split = line.indexOf(" > ");
                questions.add(
                        new Story.Question(line.substring(2, split), line.substring(split + 3)));
            } else {
                lines.add(line);
            }
        }
    }

    /**
     * Returns the names of the plots.
     *
     * @return the names, in the grammar's order
     */
    public List<String> plots() {
        return plotNames;
    }

    /**
     * Tells the next story.
     *
     * @return a story of a random plot
     */
    public Story next() {
        Plot plot = plots.get(plotNames.get(random.nextInt(plotNames.size())));
        StoryWorld world = new StoryWorld(random);
        StringBuilder text = new StringBuilder();
        for (String line : plot.lines()) {
            String sentence = expand(line, world).strip();
            if (!sentence.isEmpty()) {
                text.append(text.isEmpty() ? "" : " ").append(sentence);
            }
        }
        List<Story.Question> questions = new ArrayList<>();
        for (Story.Question question : plot.questions()) {
            questions.add(
                    new Story.Question(
                            expand(question.text(), world), expand(question.answer(), world)));
        }
        return new Story(text.toString(), questions);
    }

    private String expand(String line, StoryWorld world) {
        StringBuilder text = new StringBuilder();
        int at = 0;
        while (at < line.length()) {
            char open = line.charAt(at);
            if (open == '{') {
                int close = closing(line, at, '}');
                text.append(slot(line.substring(at + 1, close), world));
                at = close + 1;
            } else if (open == '<') {
                int close = closing(line, at, '>');
                text.append(expand(pick(rule(line.substring(at + 1, close))), world));
                at = close + 1;
            } else if (open == '(') {
                int close = closing(line, at, ')');
                String[] choices = line.substring(at + 1, close).split("\\|", -1);
                text.append(expand(pick(List.of(choices)), world));
                at = close + 1;
            } else {
                text.append(open);
                at++;
            }
        }
        // An empty choice leaves a gap behind.
        return text.toString().replaceAll(" +", " ").replaceAll(" ([.,!?])", "$1");
    }

    private static int closing(String line, int open, char bracket) {
        int close = line.indexOf(bracket, open);
        if (close < 0) {
            throw new IllegalArgumentException("no closing " + bracket + " in: " + line);
        }
        return close;
    }

    private static String slot(String name, StoryWorld world) {
        String value = world.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the story world has no slot {" + name + "}");
        }
        return value;
    }

    private List<String> rule(String name) {
        List<String> lines = rules.get(name);
        if (lines == null) {
            throw new IllegalArgumentException("the grammar has no rule <" + name + ">");
        }
        return lines;
    }

    private String pick(List<String> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}
