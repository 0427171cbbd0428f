package io.github.loradjl.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Copies of base parameters that take the place of the originals while an adapter is in use:
 * trained biases and modules to save.
 *
 * <p>A copy is a parameter of its own, put into the blocks that held the original. The originals
 * are never written to, and since DJL's parameter stores know a parameter by its identity, a
 * trainer or predictor made before the exchange sees the right one.
 */
public final class PrivateCopies implements AutoCloseable {

    private final NDManager manager;
    private final Map<String, Place> places = new LinkedHashMap<>();
    private final Map<Parameter, Parameter> copies = new IdentityHashMap<>();
    private boolean swappedIn;

    private record Place(Block owner, Parameter original, Parameter copy) {}

    /**
     * Creates an empty set.
     *
     * @param manager the owner of the copies
     */
    public PrivateCopies(NDManager manager) {
        this.manager = manager;
    }

    /**
     * Copies a parameter. Blocks that share a parameter share its copy.
     *
     * @param path its dotted path
     * @param owner the block that holds it
     * @param original the parameter
     */
    public void add(String path, Block owner, Parameter original) {
        Parameter copy = copies.computeIfAbsent(original, this::copy);
        places.put(path, new Place(owner, original, copy));
    }

    private Parameter copy(Parameter original) {
        try (NDArray detached = original.getArray().stopGradient()) {
            NDArray array = detached.duplicate();
            array.attach(manager);
            array.setName(original.getName());
            return Parameter.builder()
                    .setName(original.getName())
                    .setType(original.getType())
                    .optArray(array)
                    .optRequiresGrad(false)
                    .build();
        }
    }

    /**
     * Puts the copies in the place of the originals.
     *
     * @throws IllegalArgumentException if a block cannot take one; nothing has changed
     */
    public void swapIn() {
        if (!swappedIn) {
            exchange(false);
            swappedIn = true;
        }
    }

    /** Puts the originals back. */
    public void swapOut() {
        if (swappedIn) {
            exchange(true);
            swappedIn = false;
        }
    }

    private void exchange(boolean back) {
        Map<Block, Map<Parameter, Parameter>> byOwner = new IdentityHashMap<>();
        for (Place place : places.values()) {
            Map<Parameter, Parameter> ofOwner =
                    byOwner.computeIfAbsent(place.owner(), o -> new IdentityHashMap<>());
            if (back) {
                ofOwner.put(place.copy(), place.original());
            } else {
                ofOwner.put(place.original(), place.copy());
            }
        }
        Deque<Runnable> undo = new ArrayDeque<>();
        try {
            byOwner.forEach(
                    (owner, exchanged) -> undo.push(References.exchange(Set.of(owner), exchanged)));
        } catch (IllegalArgumentException e) {
            undo.forEach(Runnable::run);
            throw e;
        }
    }

    /**
     * Tells whether the copies are in place.
     *
     * @return true if they are
     */
    public boolean isSwappedIn() {
        return swappedIn;
    }

    /**
     * Tells whether there is nothing to exchange.
     *
     * @return true if there is no copy
     */
    public boolean isEmpty() {
        return places.isEmpty();
    }

    /**
     * Returns the copies.
     *
     * @return parameters by dotted path
     */
    public Map<String, Parameter> getParameters() {
        Map<String, Parameter> result = new LinkedHashMap<>();
        places.forEach((path, place) -> result.put(path, place.copy()));
        return Collections.unmodifiableMap(result);
    }

    /**
     * Returns the copies that are trained: all but running statistics.
     *
     * @return parameters by dotted path
     */
    public Map<String, Parameter> getTrained() {
        Map<String, Parameter> result = new LinkedHashMap<>(getParameters());
        result.values().removeIf(RunningStatistics::isStatistic);
        return Collections.unmodifiableMap(result);
    }

    /**
     * Returns the arrays of the copies.
     *
     * @return arrays by dotted path
     */
    public Map<String, NDArray> getCopies() {
        Map<String, NDArray> result = new LinkedHashMap<>();
        places.forEach((path, place) -> result.put(path, place.copy().getArray()));
        return Collections.unmodifiableMap(result);
    }

    /**
     * Returns the parameters whose place the copies take.
     *
     * @return parameters of the base by dotted path
     */
    public Map<String, Parameter> getOriginals() {
        Map<String, Parameter> result = new LinkedHashMap<>();
        places.forEach((path, place) -> result.put(path, place.original()));
        return Collections.unmodifiableMap(result);
    }

    /** Puts the originals back and releases the copies. */
    @Override
    public void close() {
        swapOut();
        // Not Parameter.close: without its array the parameter would make Trainer.close fail.
        List.copyOf(copies.values()).forEach(copy -> copy.getArray().close());
        copies.clear();
        places.clear();
    }
}
