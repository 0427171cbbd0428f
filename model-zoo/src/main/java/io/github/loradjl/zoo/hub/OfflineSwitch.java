package io.github.loradjl.zoo.hub;

import ai.djl.util.Utils;

import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What keeps this library off the network: DJL's switch, {@code DJL_OFFLINE} or {@code
 * ai.djl.offline}. A program may set the latter to keep DJL from fetching its engine alone; then
 * the system property {@code lora.hub.offline}, true or false, says what counts for the hub and for
 * repositories on web servers.
 */
public final class OfflineSwitch {

    private static final String ENVIRONMENT = "DJL_OFFLINE";
    private static final String PROPERTY = "ai.djl.offline";
    private static final String OWN = "lora.hub.offline";

    private OfflineSwitch() {}

    /**
     * Returns which switch is on.
     *
     * @return the name of a variable or a property, or nothing if the network may be used
     */
    public static Optional<String> find() {
        return Optional.ofNullable(find(Utils::getEnvOrSystemProperty));
    }

    /** Returns which switch is on, or null if none is. */
    static String find(UnaryOperator<String> variables) {
        if (Boolean.parseBoolean(variables.apply(ENVIRONMENT))) {
            return ENVIRONMENT;
        }
        String own = variables.apply(OWN);
        if (own != null && !own.isEmpty()) {
            return Boolean.parseBoolean(own) ? OWN : null;
        }
        return Boolean.parseBoolean(variables.apply(PROPERTY)) ? PROPERTY : null;
    }
}
