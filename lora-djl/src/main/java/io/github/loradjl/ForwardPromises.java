package io.github.loradjl;

import ai.djl.nn.Parameter;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.adapter.BaseState;
import io.github.loradjl.torch.GradientMode;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Keeps a {@link LoraModel}'s promises in each forward pass, on behalf of its root block. */
final class ForwardPromises implements AdaptedBlock.Host {

    private final LoraModel lora;
    private final BaseState state;

    ForwardPromises(LoraModel lora, BaseState state) {
        this.lora = lora;
        this.state = state;
    }

    LoraModel lora() {
        return lora;
    }

    /** {@inheritDoc} */
    @Override
    public AdapterSelection.Scope begin(List<String> names) {
        return names == null ? lora.selection().pin() : lora.use(names);
    }

    /** {@inheritDoc} */
    @Override
    public void beginTraining() {
        lora.checkOpen();
        if (lora.selection().isOverridden()) {
            throw new IllegalStateException(
                    "training uses the adapters of setActive, not a choice per call");
        }
        lora.getActive().forEach(lora::checkStarted);
        if (!lora.getMerged().isEmpty()) {
            throw new IllegalStateException(
                    "adapters " + lora.getMerged() + " are merged: unmerge before training");
        }
        refreeze();
        if (GradientMode.isOn() && trainable().stream().noneMatch(Parameter::requiresGradient)) {
            throw new IllegalStateException(
                    "nothing can be trained: of the adapters "
                            + lora.getAdapters()
                            + ", "
                            + lora.getActive()
                            + " are active and their parameters frozen; call setActive");
        }
    }

    /** A parameter can be unfrozen behind our back, through the block that holds it. */
    private void refreeze() {
        state.refreeze();
        List<String> active = lora.getActive();
        for (Map.Entry<String, Adapter> e : lora.adapters().entrySet()) {
            if (!active.contains(e.getKey())) {
                e.getValue().setTrainable(false);
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    public List<String> unreached() {
        for (String name : lora.selection().active()) {
            Adapter adapter = lora.adapters().get(name);
            List<String> missed = adapter == null ? List.of() : adapter.unreached();
            if (!missed.isEmpty()) {
                return missed;
            }
        }
        return List.of();
    }

    /** {@inheritDoc} */
    @Override
    public Collection<Parameter> trainable() {
        return lora.getTrainableParameters().values();
    }

    /** {@inheritDoc} */
    @Override
    public AdapterSelection.Scope originals(boolean overwrite) {
        if (overwrite) {
            lora.unmerge();
        }
        return lora.withoutCopies();
    }
}
