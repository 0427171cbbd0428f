package io.github.loradjl.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The notebooks as they stand in the repository; {@code examples/notebooks/run} executes them. */
class NotebooksTest {

    private static List<Path> notebooks() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("notebooks"))) {
            return files.filter(file -> file.toString().endsWith(".ipynb")).sorted().toList();
        }
    }

    private static List<JsonObject> codeCells(Path notebook) throws IOException {
        List<JsonObject> cells = new ArrayList<>();
        JsonObject json = JsonParser.parseString(Files.readString(notebook)).getAsJsonObject();
        for (JsonElement cell : json.getAsJsonArray("cells")) {
            if (cell.getAsJsonObject().get("cell_type").getAsString().equals("code")) {
                cells.add(cell.getAsJsonObject());
            }
        }
        return cells;
    }

    @Test
    void folder_holdsFiveNotebooks() throws IOException {
        assertThat(notebooks()).hasSize(5);
    }

    @ParameterizedTest
    @MethodSource("notebooks")
    void notebook_wasExecutedFromItsFirstCellToItsLast(Path notebook) throws IOException {
        int number = 0;
        for (JsonObject cell : codeCells(notebook)) {
            number++;
            assertThat(cell.get("execution_count").toString())
                    .as(cell.get("source").toString())
                    .isEqualTo(String.valueOf(number));
        }
    }

    @ParameterizedTest
    @MethodSource("notebooks")
    void outputs_arePicturesAndTextWithoutErrorsLogsOrFoldersOfAMachine(Path notebook)
            throws IOException {
        boolean hasPicture = false;
        for (JsonObject cell : codeCells(notebook)) {
            for (JsonElement element : cell.getAsJsonArray("outputs")) {
                JsonObject output = element.getAsJsonObject();
                assertThat(output.get("output_type").getAsString()).isNotEqualTo("error");
                if (output.has("name")) {
                    assertThat(output.get("name").getAsString()).isEqualTo("stdout");
                }
                if (output.has("data") && output.getAsJsonObject("data").has("image/png")) {
                    hasPicture = true;
                } else {
                    assertThat(output.toString()).doesNotContain("/tmp/", "/home/", "/root/");
                }
            }
        }
        assertThat(hasPicture).isTrue();
    }
}
