package io.github.loradjl.zoo.text.evaluate;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the answer is found in a text, the same way in what a model says and in what is right; the
 * two are then compared as strings.
 *
 * @see <a href="https://arxiv.org/abs/2110.14168">GSM8K, whose answers end with {@code ####}</a>
 */
public enum AnswerExtractor {

    /**
     * The integer after the first {@code ####}, as the <a
     * href="https://github.com/Outsider565/LoRA-GA">authors of LoRA-GA</a> count; with their
     * quirks: 1,000 is read as 1, a negative number is not found, and a missing answer is 0.
     */
    PAPER(AnswerExtractor::paper),

    /**
     * The number after the first {@code ####}, without its commas, as <a
     * href="https://github.com/openai/grade-school-math">GSM8K's own code</a> counts; {@value
     * #INVALID} if there is none.
     */
    OFFICIAL(AnswerExtractor::official),

    /**
     * The last number of the text, without commas and trailing zeros: 1,000.50 is read as 1000.5;
     * {@value #INVALID} if there is none.
     */
    FLEXIBLE(AnswerExtractor::flexible),

    /** The whole text, without blanks around it. */
    TEXT(String::strip);

    /** What stands for an answer that was not found. */
    public static final String INVALID = "[invalid]";

    // Python's classes are those of Unicode.
    private static final Pattern PAPER_NUMBER =
            Pattern.compile("####\\s*(\\d+)", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern OFFICIAL_NUMBER = Pattern.compile("#### (-?[0-9.,]+)");
    private static final Pattern ANY_NUMBER =
            Pattern.compile("(?:(?<![\\w.)])-)?(?:[0-9]+(?:,[0-9]{3})*(?:\\.[0-9]+)?|\\.[0-9]+)");

    private final UnaryOperator<String> rule;

    AnswerExtractor(UnaryOperator<String> rule) {
        this.rule = rule;
    }

    /**
     * Finds the answer in a text.
     *
     * @param text the text
     * @return the answer, or what stands for a missing one
     */
    public String extract(String text) {
        return rule.apply(text);
    }

    private static String paper(String text) {
        Matcher matcher = PAPER_NUMBER.matcher(text);
        return matcher.find() ? new BigInteger(matcher.group(1)).toString() : "0";
    }

    private static String official(String text) {
        Matcher matcher = OFFICIAL_NUMBER.matcher(text);
        return matcher.find() ? matcher.group(1).replace(",", "") : INVALID;
    }

    private static String flexible(String text) {
        Matcher matcher = ANY_NUMBER.matcher(text);
        String last = null;
        while (matcher.find()) {
            last = matcher.group();
        }
        if (last == null) {
            return INVALID;
        }
        return new BigDecimal(last.replace(",", "")).stripTrailingZeros().toPlainString();
    }
}
