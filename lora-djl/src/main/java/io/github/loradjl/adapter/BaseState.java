package io.github.loradjl.adapter;

import ai.djl.BaseModel;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;

import java.lang.reflect.Field;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * What a model was before it was adapted, beside its weights: its block, which parameters require
 * gradients, and whether DJL takes it for loaded, so that {@code newTrainer} would unfreeze it.
 */
public final class BaseState {

    private static final Field LOADED = References.field(BaseModel.class, "wasLoaded");

    private final Model model;
    private final Block block;
    private final boolean loaded;
    private final Map<Parameter, Flags> flags = new IdentityHashMap<>();

    /** A parameter and its array each have a flag, and after loading the two differ. */
    private record Flags(boolean ofParameter, boolean ofArray) {}

    private BaseState(Model model) {
        this.model = model;
        block = model.getBlock();
        loaded = isLoaded(model);
    }

    /**
     * Notes a model's state and freezes its parameters.
     *
     * @param model the model, with its block
     * @return the state, to be restored
     */
    public static BaseState freeze(Model model) {
        BaseState state = new BaseState(model);
        for (Parameter parameter : state.block.getParameters().values()) {
            boolean ofArray = parameter.isInitialized() && parameter.getArray().hasGradient();
            state.flags.put(parameter, new Flags(parameter.requiresGradient(), ofArray));
            parameter.freeze(true);
        }
        return state;
    }

    /**
     * Returns the block that the model had.
     *
     * @return the block
     */
    public Block getBlock() {
        return block;
    }

    /**
     * Tells whether a parameter required a gradient.
     *
     * @param parameter a parameter of the model
     * @return true if it did
     */
    public boolean requiredGradient(Parameter parameter) {
        Flags before = flags.get(parameter);
        return before != null && before.ofArray();
    }

    /** Freezes what was unfrozen since, through the model or behind its back. */
    public void refreeze() {
        for (Parameter parameter : flags.keySet()) {
            if (parameter.requiresGradient()) {
                parameter.freeze(true);
            }
        }
    }

    /**
     * Gives the model its block and flags back.
     *
     * @param current the block that stands in the place of the original; another one is left
     */
    public void restore(Block current) {
        if (model.getNDManager().isOpen()) {
            flags.forEach(BaseState::restore);
        }
        if (model.getBlock() == current) {
            boolean loadedNow = loaded || isLoaded(model);
            model.setBlock(block);
            if (unwrap(model) instanceof BaseModel base) {
                References.set(LOADED, base, loadedNow);
            }
        }
    }

    private static void restore(Parameter parameter, Flags before) {
        parameter.freeze(!before.ofParameter());
        if (parameter.isInitialized()) {
            NDArray array = parameter.getArray();
            if (array.hasGradient() != before.ofArray()) {
                array.setRequiresGradient(before.ofArray());
            }
        }
    }

    private static boolean isLoaded(Model model) {
        return unwrap(model) instanceof BaseModel base && (Boolean) References.get(LOADED, base);
    }

    private static Model unwrap(Model model) {
        return model instanceof ZooModel<?, ?> zoo ? unwrap(zoo.getWrappedModel()) : model;
    }
}
