package io.github.loradjl.zoo.hub;

import java.io.IOException;

/** Something that the hub would not give, in words that say what to do about it. */
public final class HubException extends IOException {

    private static final long serialVersionUID = 1L;

    private final boolean passing;

    /**
     * Creates an exception.
     *
     * @param message what is wrong and what to do
     */
    public HubException(String message) {
        this(message, false, null);
    }

    private HubException(String message, boolean passing, Throwable cause) {
        super(message, cause);
        this.passing = passing;
    }

    /** Makes one for trouble that may be over in a moment: a broken connection, a busy hub. */
    static HubException passing(String message, Throwable cause) {
        return new HubException(message, true, cause);
    }

    /** Makes another of the same kind that says more. */
    HubException withMore(String more) {
        return new HubException(getMessage() + more, passing, this);
    }

    boolean isPassing() {
        return passing;
    }
}
