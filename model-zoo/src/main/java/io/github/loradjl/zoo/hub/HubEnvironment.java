package io.github.loradjl.zoo.hub;

import ai.djl.util.Utils;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * What the user has set, by the names that huggingface_hub gives to it. As everywhere in DJL, a
 * system property stands in for an environment variable of its name.
 */
final class HubEnvironment {

    private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");

    private final UnaryOperator<String> variables;

    HubEnvironment() {
        this(Utils::getEnvOrSystemProperty);
    }

    HubEnvironment(UnaryOperator<String> variables) {
        this.variables = variables;
    }

    String endpoint() {
        return get("HF_ENDPOINT", "https://huggingface.co");
    }

    Path cache() {
        return path(get("HF_HUB_CACHE", get("HUGGINGFACE_HUB_CACHE", home() + "/hub")));
    }

    HubToken token() {
        if (isTrue("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
            return null;
        }
        for (String name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            HubToken token = HubToken.of(get(name, null), name);
            if (token != null) {
                return token;
            }
        }
        return HubToken.read(path(get("HF_TOKEN_PATH", home() + "/token")));
    }

    Duration timeout() {
        String seconds = get("HF_HUB_DOWNLOAD_TIMEOUT", "10");
        try {
            return Duration.ofSeconds(Math.max(1, Integer.parseInt(seconds.strip())));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "HF_HUB_DOWNLOAD_TIMEOUT is a number of seconds, not \"" + seconds + "\"", e);
        }
    }

    /** Returns which switch forbids the network, or null if none does. */
    String offline() {
        for (String name : new String[] {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}) {
            if (isTrue(name)) {
                return name;
            }
        }
        return OfflineSwitch.find(variables);
    }

    private String home() {
        String cache = get("XDG_CACHE_HOME", "~/.cache");
        return get("HF_HOME", cache + "/huggingface");
    }

    private boolean isTrue(String name) {
        return TRUE.contains(get(name, "").toUpperCase(Locale.ROOT));
    }

    private String get(String name, String other) {
        String value = variables.apply(name);
        return value == null || value.isEmpty() ? other : value;
    }

    private static Path path(String text) {
        boolean isHome = text.equals("~") || text.startsWith("~/");
        return Path.of(isHome ? System.getProperty("user.home") + text.substring(1) : text)
                .toAbsolutePath()
                .normalize();
    }
}
