package io.github.loradjl.zoo.publish;

import io.github.loradjl.zoo.hub.HubId;
import io.github.loradjl.zoo.repository.RepositoryLayout;

import java.nio.file.Path;

/** The name by which others find the base model of an adapter. */
final class BaseName {

    private static final String GIVE =
            ": give its name on the Hugging Face hub or in the zoo as the base";

    private BaseName() {}

    /**
     * Refuses a base that means nothing to others, such as the folder of one machine.
     *
     * @param adapter the adapter's folder, for messages
     * @param name the name, or null
     * @return the name
     * @throws IllegalArgumentException if it is neither a name in the zoo nor one on the hub
     */
    static String check(Path adapter, String name) {
        if (name == null) {
            throw new IllegalArgumentException(
                    adapter
                            + " does not name its base model, without which nobody can use it"
                            + GIVE);
        }
        if (!RepositoryLayout.isName(name) && !HubId.isHubId(name)) {
            throw new IllegalArgumentException(
                    "the base model of "
                            + adapter
                            + " is called \""
                            + RepositoryLayout.shortened(name)
                            + "\", by which others do not find it"
                            + GIVE);
        }
        return name;
    }
}
