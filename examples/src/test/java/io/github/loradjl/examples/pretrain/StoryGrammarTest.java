package io.github.loradjl.examples.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.stream.Stream;

class StoryGrammarTest {

    @Test
    void next_sameSeed_sameStories() {
        StoryGrammar first = new StoryGrammar(7);
        StoryGrammar second = new StoryGrammar(7);
        List<Story> stories = Stream.generate(first::next).limit(50).toList();
        assertThat(Stream.generate(second::next).limit(50).toList()).isEqualTo(stories);
        assertThat(new StoryGrammar(8).next()).isNotEqualTo(stories.get(0));
    }

    @Test
    void next_manyStories_readAsPlainText() {
        StoryGrammar grammar = new StoryGrammar(1);
        int questions = 0;
        for (int i = 0; i < 2000; i++) {
            Story story = grammar.next();
            assertThat(story.text())
                    .doesNotContainPattern("[{}<>()|]|  | [.,!?]")
                    .matches("[A-Z\"].*[.!\"]");
            questions += story.questions().size();
            for (Story.Question question : story.questions()) {
                assertThat(question.text()).doesNotContainPattern("[{}<>()|]|  ").endsWith("?");
                String answer = question.answer().replaceFirst(".* ", "");
                assertThat(story.text()).as(question.text()).contains(answer);
            }
        }
        assertThat(questions).isGreaterThan(2000);
    }

    @Test
    void next_sharedGoods_addUp() {
        List<String> numbers =
                List.of("zero", "one", "two", "three", "four", "five", "six", "seven", "eight");
        StoryGrammar grammar = new StoryGrammar(3);
        int shared = 0;
        for (int i = 0; i < 300; i++) {
            Story story = grammar.next();
            if (!story.text().contains("kept")) {
                continue;
            }
            shared++;
            int[] amounts =
                    story.questions().stream()
                            .filter(question -> question.text().startsWith("How many"))
                            .mapToInt(
                                    question ->
                                            question.answer().equals("nine")
                                                    ? 9
                                                    : numbers.indexOf(question.answer()))
                            .toArray();
            assertThat(amounts[0]).isEqualTo(amounts[1] + amounts[2]);
        }
        assertThat(shared).isPositive();
    }

    @Test
    void next_unknownRuleOrSlot_isNamed() {
        assertThatThrownBy(() -> new StoryGrammar("plot p\n<nowhere>\n", 1).next())
                .hasMessageContaining("<nowhere>");
        assertThatThrownBy(() -> new StoryGrammar("plot p\n{nobody}\n", 1).next())
                .hasMessageContaining("{nobody}");
    }
}
