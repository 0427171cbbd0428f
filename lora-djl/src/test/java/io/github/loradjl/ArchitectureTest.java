package io.github.loradjl;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import org.junit.jupiter.api.Test;

import java.util.List;

/** Holds the order of the rooms: nothing imports from a room above its own. */
class ArchitectureTest {

    private static final String ROOT = "io.github.loradjl";

    /** Ground floor first; the root package stands between gradients and PEFT files. */
    private static final List<String> ROOMS =
            List.of(
                    ROOT + ".torch",
                    ROOT + ".linalg",
                    ROOT + ".safetensors",
                    ROOT + ".staged",
                    ROOT + ".adapter",
                    ROOT + ".init",
                    ROOT + ".gradient",
                    ROOT,
                    ROOT + ".peft",
                    ROOT + ".training");

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    @Test
    void rooms_importNothingFromAbove() {
        layers().check(CLASSES);
    }

    @Test
    void engine_isTouchedByTorchAlone() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + ".torch")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.djl.pytorch..")
                .check(CLASSES);
    }

    @Test
    void internalClasses_standAlone() {
        noClasses()
                .that()
                .resideInAPackage(ROOT + ".internal")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOMS.toArray(String[]::new))
                .check(CLASSES);
    }

    private static LayeredArchitecture layers() {
        LayeredArchitecture layers = layeredArchitecture().consideringOnlyDependenciesInLayers();
        for (String room : ROOMS) {
            layers = layers.layer(room).definedBy(room);
        }
        for (int i = 0; i < ROOMS.size(); i++) {
            String[] above = ROOMS.subList(i + 1, ROOMS.size()).toArray(String[]::new);
            layers =
                    above.length == 0
                            ? layers.whereLayer(ROOMS.get(i)).mayNotBeAccessedByAnyLayer()
                            : layers.whereLayer(ROOMS.get(i)).mayOnlyBeAccessedByLayers(above);
        }
        return layers;
    }
}
