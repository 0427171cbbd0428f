package io.github.loradjl.adapter;

import java.util.List;

/**
 * Which adapters take part in a forward pass: one choice for the model, and another one for a
 * single thread where it asks for it.
 */
public final class AdapterSelection {

    private final ThreadLocal<List<String>> ofThread = new ThreadLocal<>();
    private volatile List<String> ofModel = List.of();
    private volatile boolean enabled = true;

    /**
     * Returns the adapters that a forward pass of the calling thread uses.
     *
     * @return adapter names, in the order in which their updates are added
     */
    public List<String> active() {
        List<String> chosen = ofThread.get();
        if (chosen != null) {
            return chosen;
        }
        return enabled ? ofModel : List.of();
    }

    /**
     * Chooses the adapters of the model.
     *
     * @param names adapter names
     */
    public void set(List<String> names) {
        ofModel = List.copyOf(names);
    }

    /**
     * Returns the adapters of the model, whether switched on or not.
     *
     * @return adapter names
     */
    public List<String> get() {
        return ofModel;
    }

    /**
     * Switches the model's adapters on or off.
     *
     * @param enabled false to run the base model alone
     */
    public void setEnabled(boolean enabled) {
        this.enabled = enabled;
    }

    /**
     * Tells whether the model's adapters are switched on.
     *
     * @return true if they are
     */
    public boolean isEnabled() {
        return enabled;
    }

    /**
     * Chooses adapters for the forward passes of the calling thread, until the scope is closed.
     *
     * @param names adapter names; none to run the base model alone
     * @return the scope
     */
    public Scope use(List<String> names) {
        List<String> before = ofThread.get();
        ofThread.set(List.copyOf(names));
        return () -> {
            if (before == null) {
                ofThread.remove();
            } else {
                ofThread.set(before);
            }
        };
    }

    /**
     * Keeps the present choice for the forward passes of the calling thread, whatever is set
     * meanwhile, until the scope is closed.
     *
     * @return the scope
     */
    public Scope pin() {
        return ofThread.get() != null ? () -> {} : use(active());
    }

    /**
     * Tells whether the calling thread has a choice of its own that differs from the model's.
     *
     * @return true if it does
     */
    public boolean isOverridden() {
        List<String> chosen = ofThread.get();
        return chosen != null && !chosen.equals(enabled ? ofModel : List.of());
    }

    /** A choice of adapters that ends when closed, in the thread that made it. */
    public interface Scope extends AutoCloseable {

        /** Ends the choice. */
        @Override
        void close();
    }
}
