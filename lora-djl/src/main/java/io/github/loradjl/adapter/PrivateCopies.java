package io.github.loradjl.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;

import java.lang.reflect.Field;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trainable copies of base parameters that take the place of the originals while an adapter is in
 * use: trained biases and modules to save.
 *
 * <p>The originals are set aside, never written to, and put back as the same arrays.
 */
public final class PrivateCopies implements AutoCloseable {

    private static final Field ARRAY = BlockTree.field(Parameter.class, "array");

    private final NDManager manager;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Map<String, NDArray> copies = new LinkedHashMap<>();
    private final Map<String, NDArray> originals = new LinkedHashMap<>();
    private boolean trainable = true;

    /**
     * Creates an empty set.
     *
     * @param manager the owner of the copies
     */
    public PrivateCopies(NDManager manager) {
        this.manager = manager;
    }

    /**
     * Copies a parameter.
     *
     * @param path its dotted path
     * @param parameter the parameter
     */
    public void add(String path, Parameter parameter) {
        if (parameters.containsKey(path)) {
            return;
        }
        NDArray copy = parameter.getArray().duplicate();
        copy.attach(manager);
        parameters.put(path, parameter);
        copies.put(path, copy);
    }

    /** Puts the copies in the place of the originals. */
    public void swapIn() {
        if (originals.isEmpty()) {
            parameters.forEach(
                    (path, parameter) -> {
                        originals.put(path, parameter.getArray());
                        BlockTree.set(ARRAY, parameter, copies.get(path));
                        parameter.freeze(!trainable);
                    });
        }
    }

    /** Puts the originals back. */
    public void swapOut() {
        originals.forEach(
                (path, original) -> {
                    Parameter parameter = parameters.get(path);
                    parameter.freeze(true);
                    BlockTree.set(ARRAY, parameter, original);
                });
        originals.clear();
    }

    /**
     * Sets whether the copies are trained.
     *
     * @param trainable true to train them
     */
    public void setTrainable(boolean trainable) {
        this.trainable = trainable;
        if (!originals.isEmpty()) {
            parameters.values().forEach(p -> p.freeze(!trainable));
        }
    }

    /**
     * Tells whether the copies are in place.
     *
     * @return true if they are
     */
    public boolean isSwappedIn() {
        return !originals.isEmpty();
    }

    /**
     * Returns the copied parameters.
     *
     * @return parameters by dotted path
     */
    public Map<String, Parameter> getParameters() {
        return Collections.unmodifiableMap(parameters);
    }

    /**
     * Returns the copies.
     *
     * @return arrays by dotted path
     */
    public Map<String, NDArray> getCopies() {
        return Collections.unmodifiableMap(copies);
    }

    /** Puts the originals back and releases the copies. */
    @Override
    public void close() {
        swapOut();
        copies.values().forEach(NDArray::close);
        copies.clear();
        parameters.clear();
    }
}
