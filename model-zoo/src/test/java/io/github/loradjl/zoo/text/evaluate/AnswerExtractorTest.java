package io.github.loradjl.zoo.text.evaluate;

import static io.github.loradjl.zoo.text.evaluate.AnswerExtractor.FLEXIBLE;
import static io.github.loradjl.zoo.text.evaluate.AnswerExtractor.OFFICIAL;
import static io.github.loradjl.zoo.text.evaluate.AnswerExtractor.PAPER;
import static io.github.loradjl.zoo.text.evaluate.AnswerExtractor.TEXT;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerExtractorTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "so 9 * 2 = 18 #### 18  | 18 | 18        | 18",
                "#### 1,000 dollars     | 1  | 1000      | 1000",
                "####72                 | 72 | [invalid] | 72",
                "#### -5                | 0  | -5        | -5",
                "#### $20               | 0  | [invalid] | 20",
                "#### 18.50             | 18 | 18.50     | 18.5",
                "#### 18.               | 18 | 18.       | 18",
                "#### 3 #### 4          | 3  | 3         | 4",
                "#### 007               | 7  | 007       | 7",
                "the answer is 42       | 0  | [invalid] | 42",
                "it is 10-4             | 0  | [invalid] | 4",
                "1, 2 or 1,234,567.80!  | 0  | [invalid] | 1234567.8",
                "about 100 or .5        | 0  | [invalid] | 0.5",
                "no idea                | 0  | [invalid] | [invalid]",
                "#### 99999999999999999999 | 99999999999999999999 | 99999999999999999999 |"
                        + " 99999999999999999999",
            })
    void extract_readsAsTheOriginalsDo(
            String text, String paper, String official, String flexible) {
        assertThat(PAPER.extract(text)).isEqualTo(paper);
        assertThat(OFFICIAL.extract(text)).isEqualTo(official);
        assertThat(FLEXIBLE.extract(text)).isEqualTo(flexible);
    }

    @Test
    void extract_lineBreakAfterTheMark_isABlankForThePaperAlone() {
        assertThat(PAPER.extract("####\n12")).isEqualTo("12");
        assertThat(OFFICIAL.extract("####\n12")).isEqualTo(AnswerExtractor.INVALID);
    }

    @Test
    void extract_text_isTheWholeOfIt() {
        assertThat(TEXT.extract(" a blue  ball.\n")).isEqualTo("a blue  ball.");
    }
}
