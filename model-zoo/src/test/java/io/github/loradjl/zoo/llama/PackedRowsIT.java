package io.github.loradjl.zoo.llama;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.LoraModel;
import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import io.github.loradjl.zoo.text.TextDataset;
import io.github.loradjl.zoo.text.TextTokenizer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Packed rows of a real data set train real models as they do alone. */
class PackedRowsIT {

    @ParameterizedTest
    @ValueSource(strings = {"stories260K", "SmolLM2-135M-Instruct"})
    void forwardAndBackward_realRows_areThoseOfTheRowsAlone(String checkpoint) throws Exception {
        Path files = SharedRoot.require("checkpoints/" + checkpoint);
        Path rows = SharedRoot.require("data/gsm8k/train.jsonl");
        try (TextTokenizer tokenizer = TextTokenizer.load(files);
                ZooModel<NDList, NDList> model =
                        HuggingFaceFolder.load(files, Device.cpu(), DataType.FLOAT32);
                LoraModel lora = LoraModel.attach(model, PackedRowsTest.CONFIG);
                NDManager manager = model.getNDManager().newSubManager()) {
            List<PackedRowsTest.Result> results = new ArrayList<>();
            for (boolean packing : new boolean[] {false, true}) {
                TextDataset data =
                        TextDataset.builder()
                                .setTokenizer(tokenizer)
                                .setFile(rows)
                                .setSampling(6, false)
                                .optKeys("question", "answer")
                                .optPromptFormat("{prompt}\n")
                                .optMaxLength(512)
                                .optLimit(6)
                                .optPacking(packing)
                                .build();
                assertThat(data.getBatchCount()).isEqualTo(1);
                try (Batch batch = data.getData(manager).iterator().next()) {
                    NDList[] arrays = {batch.getData(), batch.getLabels()};
                    results.add(PackedRowsTest.run(lora, arrays, manager));
                    // The rows do share sequences.
                    assertThat(batch.getSize() < 6).isEqualTo(packing);
                }
            }
            PackedRowsTest.assertEqual(results.get(1), results.get(0));
        }
    }
}
