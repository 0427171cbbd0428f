package io.github.loradjl.peft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.init.LoraInit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class AdapterOriginTest {

    @TempDir private Path temporary;
    private Path folder;
    private Model model;

    @BeforeEach
    void setUp() {
        folder = temporary.resolve("adapter");
        model = SmallNet.model(1);
    }

    @AfterEach
    void tearDown() {
        model.close();
    }

    private void save(LoraInit init) throws IOException {
        LoraConfig config = LoraConfig.builder().optRank(2).optInit(init).build();
        try (LoraModel lora = LoraModel.attach(model, config)) {
            SaveOptions options =
                    SaveOptions.builder()
                            .optBaseModel("org/base")
                            .optBaseRevision("abc123")
                            .optTaskType("CAUSAL_LM")
                            .build();
            PeftAdapter.save(lora, folder, options);
        }
    }

    @Test
    void readOrigin_savedAdapter_saysWhatItWasSavedWith() throws IOException {
        save(LoraInit.pissa());
        AdapterOrigin origin = PeftAdapter.readOrigin(folder);
        assertThat(origin.method()).isEqualTo("pissa");
        assertThat(origin.taskType()).isEqualTo("CAUSAL_LM");
        assertThat(origin.baseModel()).isEqualTo("org/base");
        assertThat(origin.baseRevision()).isEqualTo("abc123");
        assertThat(origin.baseFingerprint()).hasSize(64);
        save(LoraInit.kaimingUniform());
        assertThat(PeftAdapter.readOrigin(folder).method()).isEqualTo("lora");
    }

    @Test
    void readOrigin_adapterOfPeft_hasNoFingerprint() throws IOException {
        save(LoraInit.kaimingUniform());
        Files.delete(folder.resolve("lora_djl.json"));
        AdapterOrigin origin = PeftAdapter.readOrigin(folder);
        assertThat(origin.method()).isEqualTo("lora");
        assertThat(origin.baseModel()).isEqualTo("org/base");
        assertThat(origin.baseFingerprint()).isNull();
    }

    @Test
    void load_anotherBase_namesBothUnlessForced() throws IOException {
        save(LoraInit.randomB());
        try (Model other = SmallNet.model(2);
                LoraModel lora = LoraModel.attach(other)) {
            assertThatThrownBy(() -> PeftAdapter.load(lora, folder, "given"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("another base: org/base@abc123")
                    .hasMessageContaining("those of small");
            assertThat(lora.getAdapters()).isEmpty();
            PeftAdapter.load(lora, folder, "given", true);
            assertThat(lora.getAdapters()).containsExactly("given");
            assertThat(LoraModel.of(other)).containsSame(lora);
        }
        assertThat(LoraModel.of(model)).isEmpty();
    }
}
