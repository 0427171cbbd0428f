package io.github.loradjl.examples.doctor;

import ai.djl.util.Utils;

import io.github.loradjl.zoo.hub.HubClient;
import io.github.loradjl.zoo.hub.OfflineSwitch;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/** Where things are kept and fetched from. */
final class PlaceFindings {

    private PlaceFindings() {}

    static void add(Findings findings) {
        Path own = Utils.getCacheDir();
        try {
            // Any other command makes it too.
            Files.createDirectories(own);
        } catch (IOException e) {
            findings.problem(
                    "DJL's cache " + own + " cannot be made: " + Findings.reason(e),
                    "Name another folder by DJL_CACHE_DIR");
        }
        cache(findings, "DJL's cache", own, "DJL_CACHE_DIR");
        Path engines = Utils.getEngineCacheDir();
        if (!engines.startsWith(own)) {
            cache(findings, "engines", engines, "ENGINE_CACHE_DIR");
        }
        String network =
                (Utils.isOfflineMode() ? "DJL stays off the network" : "DJL may fetch")
                        + "; repositories on the web: "
                        + asked(OfflineSwitch.find());
        try {
            HubClient hub = HubClient.builder().build();
            cache(findings, "hub's cache", hub.getCacheFolder(), "HF_HUB_CACHE");
            findings.fact(
                    "hub",
                    "%s, %s",
                    hub.getEndpoint(),
                    hub.getTokenSource().map(s -> "with the token of " + s).orElse("no token"));
            findings.fact("network", "%s; the hub: %s", network, asked(hub.getOfflineSwitch()));
        } catch (RuntimeException e) {
            findings.fact("hub", "cannot be used");
            findings.fact("network", "%s", network);
            findings.problem(
                    "The Hugging Face hub cannot be used: " + Findings.reason(e),
                    "Correct that variable, or unset it");
        }
    }

    private static String asked(Optional<String> offline) {
        return offline.map(name -> "not asked (" + name + ")").orElse("asked when needed");
    }

    private static void cache(Findings findings, String name, Path folder, String variable) {
        if (!Files.exists(folder)) {
            Path parent = folder.toAbsolutePath();
            while (parent != null && !Files.exists(parent)) {
                parent = parent.getParent();
            }
            findings.fact(name, "%s, not there yet", folder);
            requireWritable(findings, folder, parent, variable);
            return;
        }
        long[] bytes = new long[1];
        try {
            // The hub's links are not followed, so that each content counts once.
            Files.walkFileTree(
                    folder,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(
                                Path file, BasicFileAttributes attributes) {
                            bytes[0] += attributes.isRegularFile() ? attributes.size() : 0;
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e) {
                            return FileVisitResult.CONTINUE; // removed meanwhile, or not ours
                        }
                    });
            findings.fact(name, "%s, %s", folder, Findings.size(bytes[0]));
        } catch (IOException e) {
            findings.fact(name, "%s, cannot be read", folder);
        }
        requireWritable(findings, folder, folder, variable);
    }

    private static void requireWritable(
            Findings findings, Path folder, Path existing, String variable) {
        if (existing == null || !Files.isDirectory(existing) || !Files.isWritable(existing)) {
            findings.problem(
                    folder + " cannot be written to",
                    "Give it to the user "
                            + System.getProperty("user.name")
                            + ", or name another"
                            + " folder by "
                            + variable);
        }
    }
}
