package io.github.loradjl.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class JsonFilesTest {

    @TempDir Path folder;

    record Found(double loss) {}

    @Test
    void save_writesAFileWhoseNameEverySystemTakes() throws IOException {
        JsonFiles files = new JsonFiles(folder.resolve("cells"));
        assertThat(files.isEmpty()).isTrue();
        files.save("lora-ga:gamma=16@0.05@3", new Found(Double.NaN));
        assertThat(folder.resolve("cells/lora-ga,gamma=16@0.05@3.json")).exists();
        assertThat(files.isEmpty()).isFalse();
        assertThat(files.find("lora-ga:gamma=16@0.05@3", Found.class))
                .contains(new Found(Double.NaN));
    }

    @Test
    void find_whatIsSomethingElse_namesTheFile() throws IOException {
        JsonFiles files = new JsonFiles(folder);
        for (String text : new String[] {"", "[1", "\"words\""}) {
            Files.writeString(folder.resolve("a.json"), text);
            assertThatThrownBy(() -> files.find("a", Found.class))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(folder.resolve("a.json") + " is not what a comparison");
        }
        assertThat(files.find("b", Found.class)).isEmpty();
    }
}
