package io.github.loradjl.examples.pretrain;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

class QuestionDataTest {

    @TempDir private Path folder;

    @Test
    void write_twoFiles_noPromptInBoth() throws IOException {
        QuestionData.write(folder, 300, 50, 1);
        List<String> train = Files.readAllLines(folder.resolve("train.jsonl"));
        List<String> validation = Files.readAllLines(folder.resolve("validation.jsonl"));
        assertThat(train).hasSize(300);
        assertThat(validation).hasSize(50);
        Set<String> stories = new HashSet<>();
        for (String line : train) {
            JsonObject row = JsonParser.parseString(line).getAsJsonObject();
            assertThat(row.get("prompt").getAsString()).contains("\nQ: ").endsWith("?\nA:");
            assertThat(row.get("completion").getAsString()).matches(" \\S.*");
            stories.add(story(row));
        }
        for (String line : validation) {
            assertThat(stories)
                    .doesNotContain(story(JsonParser.parseString(line).getAsJsonObject()));
        }
    }

    @Test
    void shippedData_isWhatTheDocumentedSeedMakes() throws IOException {
        QuestionData.write(folder, 2000, 200, 2);
        Path shipped = Path.of("data");
        for (String name : List.of("train.jsonl", "validation.jsonl")) {
            assertThat(shipped.resolve(name)).hasSameTextualContentAs(folder.resolve(name));
        }
    }

    private static String story(JsonObject row) {
        return row.get("prompt").getAsString().lines().findFirst().orElseThrow();
    }
}
