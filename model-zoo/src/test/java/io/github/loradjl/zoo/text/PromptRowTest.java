package io.github.loradjl.zoo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.loradjl.zoo.text.chat.ChatTemplate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

class PromptRowTest {

    private static final PromptRow.Keys KEYS = new PromptRow.Keys("question", "answer", "text");

    private static final ChatTemplate TEMPLATE =
            ChatTemplate.of(
                    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
                            + "{% if add_generation_prompt %}[assistant]{% endif %}",
                    Map.of());

    @TempDir private Path folder;

    private List<PromptRow> read(String rows) throws IOException {
        Path file = Files.writeString(folder.resolve("rows.jsonl"), rows);
        return PromptRow.read(file, KEYS, 10);
    }

    @Test
    void read_everyShape_isWhatIsAskedAndTheAnswer() throws IOException {
        List<PromptRow> rows =
                read(
                        """
                        {"question": "1+1?", "answer": "2"}

                        {"text": "One day."}
                        {"messages": [{"role": "user", "content": "a"},
                         {"role": "assistant", "content": "b"},
                         {"role": "user", "content": "c"},
                         {"role": "assistant", "content": "d"},
                         {"role": "user", "content": "e"}]}
                        {"instruction": "Say no.", "output": "No."}
                        """
                                .replace(",\n ", ", "));
        assertThat(rows.stream().map(PromptRow::id)).containsExactly("1", "3", "4", "5");
        assertThat(rows.stream().map(PromptRow::answer))
                .containsExactly("2", "One day.", "d", "No.");
        assertThat(rows.get(0).render(TEMPLATE)).isEqualTo("[user]1+1?[assistant]");
        assertThat(rows.get(2).render(TEMPLATE)).isEqualTo("[user]a[assistant]b[user]c[assistant]");
        assertThat(rows.get(3).prompt()).contains("Say no.");
        assertThatThrownBy(() -> rows.get(1).render(TEMPLATE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("row 3");
    }

    @Test
    void read_folder_namesFilesAndStopsAtTheLimit() throws IOException {
        Files.writeString(folder.resolve("a.jsonl"), "{\"question\": \"x\", \"answer\": \"y\"}\n");
        Files.writeString(folder.resolve("b.csv"), "question,answer\n1,2\n3,4\n");
        List<PromptRow> rows = PromptRow.read(folder, KEYS, 2);
        assertThat(rows.stream().map(PromptRow::id)).containsExactly("a.jsonl:1", "b.csv:2");
        assertThat(rows.get(1).prompt()).isEqualTo("1");
    }

    @Test
    void read_rowWithoutAnAnswerOrAQuestion_isNamed() {
        assertThatThrownBy(() -> read("{\"question\": \"x\"}\n"))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("rows.jsonl", "line 1", "answer");
        assertThatThrownBy(
                        () ->
                                read(
                                        "{\"messages\": [{\"role\": \"assistant\","
                                                + " \"content\": \"b\"}]}"))
                .hasMessageContainingAll("line 1", "nothing is asked");
    }

    @Test
    void read_plainText_isRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("rows.txt"), "One day.");
        assertThatThrownBy(() -> PromptRow.read(file, KEYS, 1))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("rows.txt", "no prompts");
    }
}
