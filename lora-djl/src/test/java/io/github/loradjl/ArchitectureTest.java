package io.github.loradjl;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;

import java.util.List;

/** Holds the order of the rooms: nothing imports from a room above its own. */
@AnalyzeClasses(
        packages = "io.github.loradjl",
        importOptions = ImportOption.DoNotIncludeTests.class)
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

    @ArchTest static final ArchRule NOTHING_IMPORTS_UPWARD = layers();

    @ArchTest
    static final ArchRule ONLY_TORCH_TOUCHES_THE_ENGINE =
            noClasses()
                    .that()
                    .resideOutsideOfPackage(ROOT + ".torch")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("ai.djl.pytorch..");

    @ArchTest
    static final ArchRule INTERNAL_CLASSES_STAND_ALONE =
            noClasses()
                    .that()
                    .resideInAPackage(ROOT + ".internal")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(ROOMS.toArray(String[]::new));

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
