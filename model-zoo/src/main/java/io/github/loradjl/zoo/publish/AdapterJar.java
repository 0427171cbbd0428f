package io.github.loradjl.zoo.publish;

import ai.djl.util.Utils;

import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.zoo.repository.AdapterArchive;
import io.github.loradjl.zoo.repository.AdapterEntry;
import io.github.loradjl.zoo.repository.Digests;
import io.github.loradjl.zoo.repository.RepositoryLayout;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.ZipOutputStream;

/** A jar that is a repository of one adapter, with the POM that Maven looks for in it. */
final class AdapterJar {

    private AdapterJar() {}

    static AdapterEntry write(AdapterPublication publication, Path target) throws IOException {
        Path jar = target.toAbsolutePath();
        if (Files.exists(jar)) {
            throw new IllegalStateException(
                    target + " exists already; what is published stays as it is: give a new name");
        }
        Files.createDirectories(jar.getParent());
        Path beside = jar.resolveSibling("." + jar.getFileName() + "." + UUID.randomUUID());
        try {
            Path repository = Files.createDirectory(beside).resolve("repository");
            AdapterEntry entry = publication.publish(repository);
            Path whole = beside.resolve("whole.jar");
            Map<String, Path> entries = new LinkedHashMap<>();
            // The manifest stands first, where Java looks for it.
            entries.put("META-INF/MANIFEST.MF", text(beside, "manifest", manifest(publication)));
            entries.put(pomPath(publication), text(beside, "pom", pom(publication)));
            for (Path file : files(repository)) {
                String path = repository.relativize(file).toString().replace('\\', '/');
                entries.put(RepositoryLayout.JAR_ROOT + path, file);
            }
            try (OutputStream out = Files.newOutputStream(whole);
                    ZipOutputStream zip = new ZipOutputStream(out)) {
                for (Map.Entry<String, Path> each : entries.entrySet()) {
                    AdapterArchive.putStored(zip, each.getKey(), each.getValue());
                }
            }
            String sum = Digests.sha256(whole);
            Files.move(whole, jar, StandardCopyOption.ATOMIC_MOVE);
            String name = jar.getFileName().toString();
            AtomicFile.writeString(jar.resolveSibling(name + ".sha256"), sum + "  " + name + "\n");
            return entry;
        } finally {
            Utils.deleteQuietly(beside);
        }
    }

    private static Path text(Path folder, String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private static List<Path> files(Path repository) throws IOException {
        try (Stream<Path> walk = Files.walk(repository)) {
            return walk.filter(Files::isRegularFile)
                    .filter(f -> !f.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        }
    }

    private static String manifest(AdapterPublication publication) {
        return "Manifest-Version: 1.0\r\nCreated-By: lora-djl\r\nImplementation-Version: "
                + publication.version()
                + "\r\n\r\n";
    }

    private static String pomPath(AdapterPublication publication) {
        return "META-INF/maven/" + publication.groupId() + "/" + publication.name() + "/pom.xml";
    }

    private static String pom(AdapterPublication publication) {
        // Group, name, version and licence have no signs that XML minds.
        return """
               <?xml version="1.0" encoding="UTF-8"?>
               <project xmlns="http://maven.apache.org/POM/4.0.0">
                   <modelVersion>4.0.0</modelVersion>
                   <groupId>%s</groupId>
                   <artifactId>%s</artifactId>
                   <version>%s</version>
                   <licenses>
                       <license>
                           <name>%s</name>
                       </license>
                   </licenses>
               </project>
               """
                .formatted(
                        publication.groupId(),
                        publication.name(),
                        publication.version(),
                        publication.license());
    }
}
