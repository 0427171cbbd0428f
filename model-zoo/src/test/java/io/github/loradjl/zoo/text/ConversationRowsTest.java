package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.text.chat.ChatTemplate;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What of a conversation is learnt. */
class ConversationRowsTest extends WordRows {

    private static final String TURN = "<s> {{ m.role }} {{ m.content }} </s>\n";

    private static final ChatTemplate TEMPLATE =
            ChatTemplate.of(
                    "{% for m in messages %}"
                            + TURN
                            + "{% endfor %}{% if add_generation_prompt %}<s> assistant {% endif %}",
                    Map.of());

    @Test
    void getData_conversation_learnsTheAssistantsTurnsOnly() throws IOException {
        Path file =
                write(
                        "rows.jsonl",
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"b a\"},"
                                + " {\"role\": \"user\", \"content\": \"b\"},"
                                + " {\"role\": \"assistant\", \"content\": \"a\"}]}");
        TextDataset data = data(file).optChatTemplate(TEMPLATE).build();
        assertThat(ids(data)).containsExactly("1 0 3 2 1 0 4 3 2 1 0 4 2 1 0 3 2");
        assertThat(labels(data)).containsExactly(". . . . . . 4 3 2 . . . . . . 3 2");
        assertThat(data.getReport().keptLabels()).isEqualTo(5);
        assertThat(labels(data(file).optChatTemplate(TEMPLATE).optMaxLength(8).build()))
                .containsExactly(". . . . . . 4 3");
        assertThat(labels(data(file).optChatTemplate(TEMPLATE).optTrainOnPrompt(true).build()))
                .containsExactly("1 0 3 2 1 0 4 3 2 1 0 4 2 1 0 3 2");
    }

    @Test
    void getData_templateWithGenerationBlocks_learnsThem() throws IOException {
        ChatTemplate template =
                ChatTemplate.of(
                        "{% for m in messages %}<s> {% if m.role == 'assistant' %}{% generation %}"
                                + "{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}"
                                + "{% endif %} </s>{% endfor %}",
                        Map.of());
        Path file =
                write(
                        "rows.jsonl",
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"b a\"}]}");
        TextDataset data = data(file).optChatTemplate(template).build();
        assertThat(labels(data)).containsExactly(". . . . 4 3 .");
        // Only what stands within the blocks, turn by turn; here they hold the end token as well.
        ChatTemplate ended =
                ChatTemplate.of(
                        "{% for m in messages %}<s> {% if m.role == 'assistant' %}{% generation %}"
                                + "{{ m.content }} </s> {% endgeneration %}{% else %}"
                                + "{{ m.role }} {{ m.content }} </s> {% endif %}{% endfor %}b",
                        Map.of());
        Path turns =
                write(
                        "turns.jsonl",
                        "{\"messages\": [{\"role\": \"system\", \"content\": \"b b\"},"
                                + " {\"role\": \"user\", \"content\": \"a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"b a\"},"
                                + " {\"role\": \"user\", \"content\": \"b a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"a\"},"
                                + " {\"role\": \"assistant\", \"content\": \"a b\"},"
                                + " {\"role\": \"user\", \"content\": \"a\"}]}");
        TextDataset several = data(turns).optChatTemplate(ended).build();
        assertThat(ids(several))
                .containsExactly("1 0 4 4 2 1 0 3 2 1 4 3 2 1 0 4 3 2 1 3 2 1 3 4 2 1 0 3 2 4");
        assertThat(labels(several))
                .containsExactly(". . . . . . . . . . 4 3 2 . . . . . . 3 2 . 3 4 2 . . . . .");
        assertThat(several.render(0))
                .hasToString(
                        "[[<s> <unk> b b </s> <s> <unk> a </s> <s>]] b a </s>"
                                + "[[ <s> <unk> b a </s> <s>]] a </s>[[ <s>]] a b </s>"
                                + "[[ <s> <unk> a </s> b]]");
    }

    @Test
    void getData_chat_makesAConversationOfPromptAndCompletion() throws IOException {
        Path file = write("rows.jsonl", "{\"prompt\": \"a\", \"completion\": \"b a\"}");
        TextDataset data = data(file).optChatTemplate(TEMPLATE).optChat(true).build();
        assertThat(ids(data)).containsExactly("1 0 3 2 1 0 4 3 2");
        assertThat(labels(data)).containsExactly(". . . . . . 4 3 2");
        assertThatThrownBy(() -> data(file).optChat(true).build())
                .hasMessageContaining("optChatTemplate");
    }

    private static RenderedExample.Stretch answer(String text) {
        return new RenderedExample.Stretch(text, true);
    }

    @Test
    void getReport_conversationsThatAreTooLong_areCutOrDropped() throws IOException {
        String question = "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"},";
        String answer = " {\"role\": \"assistant\", \"content\": \"b a\"}";
        String lengthy = "{\"messages\": [{\"role\": \"user\", \"content\": \"a a a a a\"},";
        Path file =
                write(
                        "rows.jsonl",
                        question + answer + "]}",
                        question + answer + "," + answer + "]}",
                        lengthy + answer + "]}");
        // Nine tokens, fourteen and thirteen; the answers begin at the seventh and the eleventh.
        TextReport report =
                data(file).optChatTemplate(TEMPLATE).optMaxLength(10).build().getReport();
        assertThat(report.rows()).isEqualTo(2);
        assertThat(report.truncatedRows()).isEqualTo(1);
        assertThat(report.truncatedTokens()).isEqualTo(4);
        assertThat(report.truncatedLabels()).isEqualTo(3);
        assertThat(report.droppedRows()).isEqualTo(1);
        assertThat(report.keptLabels()).isEqualTo(3 + 3);
        assertThat(report.toString())
                .isEqualTo(
                        "2 rows, 19 tokens, 6 of them learnt; 1 rows truncated by 4 tokens, 3 of"
                                + " them to be learnt; 1 rows dropped, nothing to learn in them");
        assertThatThrownBy(
                        () ->
                                data(file)
                                        .optChatTemplate(TEMPLATE)
                                        .optMaxLength(6)
                                        .build()
                                        .prepare())
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("nothing to learn", "3 rows within 6 tokens");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> data(file).optLimit(0))
                .withMessageContaining("not 0");
    }

    @Test
    void getData_severalTurnsOfARealTemplate_maskAsByHand() throws IOException {
        Path model = SharedRoot.require("checkpoints/SmolLM2-135M-Instruct");
        Path file =
                write(
                        "rows.jsonl",
                        "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"},"
                                + " {\"role\": \"user\", \"content\": \"Hi\"},"
                                + " {\"role\": \"assistant\", \"content\": \"Hello!\"},"
                                + " {\"role\": \"user\", \"content\": \"Bye\"},"
                                + " {\"role\": \"assistant\", \"content\": \"See you.\"}]}");
        String[] stretches = {
            "<|im_start|>system\nBe brief.<|im_end|>\n"
                    + "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
            "Hello!<|im_end|>\n",
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
            "See you.<|im_end|>\n"
        };
        try (TextTokenizer real = TextTokenizer.load(model)) {
            TextDataset data =
                    data(file).setTokenizer(real).optChatTemplate(ChatTemplate.load(model)).build();
            List<String> ids = new ArrayList<>();
            List<String> labels = new ArrayList<>();
            List<RenderedExample.Stretch> pieces = new ArrayList<>();
            for (int i = 0; i < stretches.length; i++) {
                boolean learnt = i % 2 == 1;
                for (long id : real.encode(stretches[i], false)) {
                    ids.add(Long.toString(id));
                    labels.add(learnt ? Long.toString(id) : ".");
                }
                pieces.add(new RenderedExample.Stretch(stretches[i], learnt));
            }
            assertThat(ids(data)).containsExactly(String.join(" ", ids));
            assertThat(labels(data)).containsExactly(String.join(" ", labels));
            assertThat(data.render(0).stretches()).isEqualTo(pieces);
        }
    }

    @Test
    void getData_realTemplateAndSigns_learnsExactlyTheAnswers() throws IOException {
        Path model = SharedRoot.require("checkpoints/SmolLM2-135M-Instruct");
        Path file =
                write(
                        "rows.jsonl",
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"日本 🙂 Hi\"},"
                                + " {\"role\": \"assistant\", \"content\": \"🙂🙂 Grüße, 日本!\"},"
                                + " {\"role\": \"user\", \"content\": \"🙂\"},"
                                + " {\"role\": \"assistant\", \"content\": \"Bye 🙂\"}]}");
        try (TextTokenizer real = TextTokenizer.load(model)) {
            TextDataset data =
                    data(file).setTokenizer(real).optChatTemplate(ChatTemplate.load(model)).build();
            long[] learnt =
                    Arrays.stream(labels(data).get(0).split(" "))
                            .filter(label -> !".".equals(label))
                            .mapToLong(Long::parseLong)
                            .toArray();
            assertThat(real.decode(learnt, false))
                    .isEqualTo("🙂🙂 Grüße, 日本!<|im_end|>\nBye 🙂<|im_end|>\n");
            assertThat(data.getReport().straddlingRows()).isZero();
            List<RenderedExample.Stretch> shown = data.render(0).stretches();
            assertThat(shown).hasSize(4);
            assertThat(shown.get(1)).isEqualTo(answer("🙂🙂 Grüße, 日本!<|im_end|>\n"));
            assertThat(shown.get(3)).isEqualTo(answer("Bye 🙂<|im_end|>\n"));
        }
    }
}
