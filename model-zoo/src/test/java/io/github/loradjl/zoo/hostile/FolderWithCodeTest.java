package io.github.loradjl.zoo.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.BlockFactory;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.zoo.TinyStoryLlama;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** A model's folder may hold code; what becomes of it here, and with DJL's own loader. */
class FolderWithCodeTest {

    private static final String TRACE = "lora.djl.test.code";

    @TempDir private Path folder;

    /** Code that the folder for our loader brings. */
    public static final class Ours implements BlockFactory {

        private static final long serialVersionUID = 1L;

        static {
            System.setProperty(TRACE, "ours");
        }

        @Override
        public Block newBlock(Model model, Path path, Map<String, ?> arguments) {
            throw new IllegalStateException("run");
        }
    }

    /** Code that the folder for DJL's loader brings. */
    public static final class Stock implements BlockFactory {

        private static final long serialVersionUID = 1L;

        static {
            System.setProperty(TRACE, "stock");
        }

        @Override
        public Block newBlock(Model model, Path path, Map<String, ?> arguments) {
            throw new IllegalStateException("run");
        }
    }

    private void write(Class<?> factory) throws IOException {
        try (Stream<Path> files = Files.list(TinyStoryLlama.folder())) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        String file = factory.getName().replace('.', '/') + ".class";
        Path target = folder.resolve("classes").resolve(file);
        Files.createDirectories(target.getParent());
        Files.write(target, getClass().getClassLoader().getResourceAsStream(file).readAllBytes());
        Files.write(folder.resolve("code.jar"), new byte[] {1, 2, 3});
        Files.writeString(
                folder.resolve("serving.properties"),
                "engine=PyTorch\nblockFactory=" + factory.getName() + "\n");
        System.clearProperty(TRACE);
    }

    @Test
    void load_here_runsNothingOfIt() throws Exception {
        write(Ours.class);
        Criteria<NDList, NDList> criteria =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelZoo(HuggingFaceFolder.zoo(folder))
                        .optArgument("blockFactory", Ours.class.getName())
                        .build();
        try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
            assertThat(model.getBlock()).isNotNull();
        }
        assertThat(System.getProperty(TRACE)).isNull();
    }

    /** Why the README warns of it. */
    @Test
    void load_byDjlsOwnLoader_runsIt() throws Exception {
        write(Stock.class);
        Criteria<NDList, NDList> criteria =
                Criteria.builder()
                        .setTypes(NDList.class, NDList.class)
                        .optModelPath(folder)
                        .build();
        assertThatThrownBy(criteria::loadModel).isInstanceOf(Exception.class);
        assertThat(System.getProperty(TRACE)).isEqualTo("stock");
        System.clearProperty(TRACE);
    }
}
