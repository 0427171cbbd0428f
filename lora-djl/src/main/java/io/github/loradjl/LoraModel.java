package io.github.loradjl;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.loss.Loss;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.adapter.BaseState;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.adapter.PrivateCopies;
import io.github.loradjl.adapter.RunningStatistics;
import io.github.loradjl.adapter.StoredWeights;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.staged.StagedBlock;
import io.github.loradjl.staged.StagedBlocks;
import io.github.loradjl.staged.StagedTraining;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A model with LoRA adapters: attached to any DJL {@link Model} whose block is loaded, trained and
 * run through that same model, and detached without a trace.
 *
 * <p>While attached, the model's block is an {@link AdaptedBlock} around the original one; {@code
 * newTrainer}, {@code newPredictor}, {@code save} and {@code load} go on working and see the base
 * under its own names. Base weights are frozen, stay frozen and are never written to.
 *
 * <p>Adapters are added, activated, merged and removed by one thread. Predictions may run from many
 * threads, each with its own choice of adapters ({@link #use}, or the forward parameter {@link
 * AdaptedBlock#ADAPTERS}); a prediction sees one choice from its start to its end. Merging,
 * removing, and activating adapters that train biases or whole modules change what running
 * predictions read: let those end first. Make predictors after {@link #attach}; an earlier one goes
 * past the adapted block and its promises. Native memory is released by {@link #detach} or {@link
 * #close}.
 */
public final class LoraModel implements AutoCloseable {

    /** The name of the adapter that {@link #attach(Model, LoraConfig)} makes. */
    public static final String DEFAULT_ADAPTER = "default";

    private static final Logger logger = LoggerFactory.getLogger(LoraModel.class);

    private final Model model;
    private final BaseState state;
    private final NDManager manager;
    private final AdapterSelection selection = new AdapterSelection();
    private final WrappedLayers layers;
    private final AdaptedBlock adapted;
    // Replaced as a whole, because predictions read them while adapters are added and activated.
    private volatile Map<String, Adapter> adapters = Map.of();
    private volatile Map<String, Parameter> trainable = Map.of();
    private volatile List<String> merged = List.of();
    private RunningStatistics statistics;
    private volatile boolean detached;

    private LoraModel(Model model) {
        this.model = model;
        state = BaseState.freeze(model);
        statistics = RunningStatistics.freeze(state.getBlock());
        manager = model.getNDManager().newSubManager();
        manager.setName("lora");
        layers = new WrappedLayers(state.getBlock(), selection);
        adapted = new AdaptedBlock(state.getBlock(), new ForwardPromises(this, state));
        StagedBlocks.of(state.getBlock())
                .map(stages -> StagedTraining.recorded(stages, () -> trainable.values()))
                .ifPresent(adapted::setTraining);
    }

    /**
     * Attaches one adapter named {@code default} to a model and activates it.
     *
     * @param model the model, its block loaded or initialized
     * @param config the adapter's configuration
     * @return the adapted model
     * @throws IllegalArgumentException if a pattern matches nothing, a layer cannot be replaced or
     *     the start does not fit a target; the model is then unchanged
     * @throws IllegalStateException if the model has no initialized block or is adapted already
     */
    public static LoraModel attach(Model model, LoraConfig config) {
        LoraModel lora = attach(model);
        try {
            lora.addAdapter(DEFAULT_ADAPTER, config);
            lora.setActive(DEFAULT_ADAPTER);
            return lora;
        } catch (RuntimeException e) {
            lora.detach();
            throw e;
        }
    }

    /**
     * Attaches to a model without an adapter; {@link #addAdapter} adds them.
     *
     * @param model the model, its block loaded or initialized
     * @return the model, ready for adapters
     * @throws IllegalStateException if the model has no initialized block or is adapted already
     */
    public static LoraModel attach(Model model) {
        Block block = model.getBlock();
        if (block == null || !block.isInitialized()) {
            throw new IllegalStateException(
                    "model "
                            + model.getName()
                            + " has no initialized block: load it or call block.initialize before"
                            + " attaching adapters");
        }
        if (block instanceof AdaptedBlock) {
            throw new IllegalStateException(
                    "model "
                            + model.getName()
                            + " is adapted already: add another adapter with LoraModel.addAdapter,"
                            + " or detach first");
        }
        LoraModel lora = new LoraModel(model);
        model.setBlock(lora.adapted);
        return lora;
    }

    /**
     * Finds the adapters of a model that is adapted already, as one that the model zoo gave an
     * adapter.
     *
     * @param model the model
     * @return the adapted model, if it is one
     */
    public static Optional<LoraModel> of(Model model) {
        return model.getBlock() instanceof AdaptedBlock block
                        && block.getHost() instanceof ForwardPromises promises
                ? Optional.of(promises.lora())
                : Optional.empty();
    }

    /**
     * Adds an adapter, inactive at first.
     *
     * @param name a name without dots
     * @param config its configuration
     * @throws IllegalArgumentException if the name is taken or has a dot, or as in {@link #attach};
     *     the model is then unchanged
     */
    public void addAdapter(String name, LoraConfig config) {
        checkNew(name);
        TargetSelection selected = new TargetSelection(config, getBase());
        List<BlockTree.Node> targets = selected.targets();
        for (BlockTree.Node node : targets) {
            Parameter weight = node.block().getDirectParameters().get("weight");
            config.getInit()
                    .check(node.path(), weight.getArray().getShape(), config.rankOf(node.path()));
        }
        boolean pending = config.getInit().needsGradient();
        Adapter adapter =
                add(
                        name,
                        selected,
                        layers.wrap(targets),
                        layer ->
                                pending
                                        ? AdapterStart.pending(layer, config, manager)
                                        : AdapterStart.of(layer, config, null, manager));
        adapter.setPending(pending);
        if (config.getInit() instanceof LoraGaInit && !config.isRankStabilized()) {
            logger.warn(
                    "LoRA-GA's scale depends on the rank unless the scaling is rank-stabilised"
                            + " (LoraConfig.Builder.optRankStabilized).");
        }
    }

    /**
     * Adds an adapter whose factors are known, for instance from a file; inactive at first, and
     * never pending.
     *
     * <p>Such an adapter may have been made for a family of models, so not every pattern of the
     * configuration has to match something here; its targets and the updates have to agree.
     *
     * @param name a name without dots
     * @param config its configuration
     * @param updates one update for each target, by path; owned by this model once added
     * @throws IllegalArgumentException if the updates are not exactly those of the targets, or one
     *     has the wrong shape; the model is then unchanged
     */
    public void addAdapter(String name, LoraConfig config, Map<String, LowRankUpdate> updates) {
        checkNew(name);
        TargetSelection selected = new TargetSelection(config, getBase());
        Set<LoraLinear> own = layers.wrap(selected.matched());
        try {
            KnownUpdates.check(name, own, updates);
        } catch (IllegalArgumentException e) {
            layers.unwrapUnused();
            throw e;
        }
        add(name, selected, own, layer -> updates.get(layer.getPath()));
    }

    private Adapter add(
            String name,
            TargetSelection selected,
            Set<LoraLinear> own,
            Function<LoraLinear, LowRankUpdate> updates) {
        PrivateCopies copies = new PrivateCopies(manager);
        try (AdapterSelection.Scope originals = withoutCopies()) {
            for (LoraLinear layer : own) {
                layer.put(name, updates.apply(layer));
            }
            selected.privateParameters(own)
                    .forEach(p -> copies.add(p.path(), p.owner(), p.parameter()));
            copies.swapIn(); // Fails here rather than when the adapter is activated.
            copies.swapOut();
            Adapter adapter = new Adapter(name, selected.config(), own, copies);
            Map<String, Adapter> changed = new LinkedHashMap<>(adapters);
            changed.put(name, adapter);
            adapters = Collections.unmodifiableMap(changed);
            return adapter;
        } catch (RuntimeException e) {
            copies.close();
            own.forEach(layer -> layer.remove(name));
            layers.unwrapUnused();
            throw e;
        }
    }

    private void checkNew(String name) {
        checkOpen();
        if (name.isBlank() || name.contains(".")) {
            throw new IllegalArgumentException("an adapter's name has no dots, is \"" + name + '"');
        }
        if (adapters.containsKey(name)) {
            throw new IllegalArgumentException(
                    "adapter " + name + " exists already: remove it first or choose another name");
        }
    }

    /** Starts one target of a pending adapter from what is kept of its gradient. */
    void start(String name, LoraLinear layer, GradientFactors gradient) {
        LoraConfig config = adapter(name).config();
        try (LowRankUpdate fresh = AdapterStart.of(layer, config, gradient, manager)) {
            LowRankUpdate update = layer.get(name);
            // In place, since a trainer may know these arrays already.
            update.set(fresh.getA(), fresh.getB());
            if (fresh.getA0() != null) {
                update.subtractCurrent();
            }
        }
    }

    /** Marks a pending adapter as started. */
    void started(String name) {
        adapter(name).setPending(false);
    }

    /**
     * Removes an adapter and releases its arrays; layers that no other adapter uses are as they
     * were. If it is merged, all adapters are unmerged.
     *
     * @param name the adapter's name
     */
    public void removeAdapter(String name) {
        checkOpen();
        Adapter adapter = adapter(name);
        if (merged.contains(name)) {
            unmerge();
        }
        Map<String, Adapter> changed = new LinkedHashMap<>(adapters);
        changed.remove(name);
        adapters = Collections.unmodifiableMap(changed);
        selection.set(selection.get().stream().filter(n -> !n.equals(name)).toList());
        adapter.close();
        layers.unwrapUnused();
        activate();
    }

    /**
     * Activates adapters, and with them their trained biases and modules; their updates are added.
     * What was merged is unmerged. Active adapters are trainable, all others are frozen.
     *
     * @param names adapter names, none for the base model alone
     * @throws IllegalArgumentException if there is no such adapter, or two train the same parameter
     */
    public void setActive(String... names) {
        checkOpen();
        List<String> list = known(Arrays.asList(names));
        checkDisjointCopies(list);
        unmerge();
        selection.set(list);
        activate();
    }

    /**
     * Switches all adapters off or on again; what is merged is unmerged first.
     *
     * @param enabled false to run the base model alone
     */
    public void setEnabled(boolean enabled) {
        checkOpen();
        unmerge();
        selection.setEnabled(enabled);
        activate();
    }

    /** Makes everything follow the selection. */
    private void activate() {
        List<String> active = getActive();
        boolean follow = active.stream().anyMatch(n -> getConfig(n).isUpdateRunningStatistics());
        if (follow && statistics != null) {
            statistics.close();
            statistics = null;
        } else if (!follow && statistics == null) {
            statistics = RunningStatistics.freeze(getBase());
        }
        adapters.values().forEach(adapter -> adapter.copies().swapOut());
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        adapters.forEach((name, adapter) -> adapter.setTrainable(active.contains(name)));
        for (String name : active) {
            adapter(name).copies().swapIn();
            parameters.putAll(adapter(name).parameters());
        }
        trainable = Collections.unmodifiableMap(parameters);
    }

    /**
     * Chooses adapters for the calls of the calling thread, until the scope is closed; other
     * threads do not see it.
     *
     * @param names adapter names, none for the base model alone
     * @return the scope
     * @throws IllegalArgumentException if there is no such adapter
     * @throws IllegalStateException if adapters are merged, or if the choice would change which
     *     trained biases or whole modules are in use, which all threads share
     */
    public AdapterSelection.Scope use(String... names) {
        return use(Arrays.asList(names));
    }

    AdapterSelection.Scope use(List<String> names) {
        checkOpen();
        List<String> list = known(names);
        if (!merged.isEmpty()) {
            throw new IllegalStateException(
                    "adapters " + merged + " are merged: unmerge before choosing per call");
        }
        Set<String> concerned = withCopies(getActive());
        Set<String> chosen = withCopies(list);
        if (!concerned.equals(chosen)) {
            concerned.addAll(chosen);
            throw new IllegalStateException(
                    "adapters "
                            + concerned
                            + " train biases or whole modules, which cannot be chosen per call: use"
                            + " setActive");
        }
        return selection.use(list);
    }

    private Set<String> withCopies(List<String> names) {
        Set<String> result = new HashSet<>(names);
        result.removeIf(name -> adapter(name).copies().isEmpty());
        return result;
    }

    /**
     * Merges the active adapters into private copies of their targets' weights, for faster
     * prediction.
     *
     * @throws ArithmeticException if a merged weight would hold NaN or infinity; nothing changes
     * @throws IllegalStateException if the start of an active adapter is pending
     */
    public void merge() {
        checkOpen();
        List<String> names = getActive();
        Map<LoraLinear, NDArray> weights = mergedWeights(names);
        unmerge();
        weights.forEach((layer, weight) -> layer.setMerged(weight, names));
        merged = names;
    }

    private Map<LoraLinear, NDArray> mergedWeights(List<String> names) {
        names.forEach(this::checkStarted);
        Map<LoraLinear, NDArray> weights = new IdentityHashMap<>();
        try {
            for (LoraLinear layer : layers.all()) {
                if (names.stream().anyMatch(layer.getUpdates()::containsKey)) {
                    weights.put(layer, layer.mergedWeight(names));
                }
            }
            return weights;
        } catch (ArithmeticException e) {
            weights.values().forEach(NDArray::close);
            throw e;
        }
    }

    /** Goes back from merged weights to the base weights and separate updates. */
    public void unmerge() {
        if (!merged.isEmpty()) {
            layers.all().forEach(LoraLinear::unmerge);
            merged = List.of();
        }
    }

    /**
     * Returns the merged adapters.
     *
     * @return adapter names
     */
    public List<String> getMerged() {
        return merged;
    }

    /**
     * Adds an adapter that is a weighted sum of others, inactive at first.
     *
     * @param name the name of the new adapter
     * @param weights the weight of each adapter to combine
     * @param combination how to form one update from several
     * @throws IllegalArgumentException if the name is taken, or the adapters cannot be combined in
     *     that way
     */
    public void addWeightedAdapter(
            String name, Map<String, Double> weights, AdapterCombination combination) {
        checkNew(name);
        weights.keySet().forEach(this::checkStarted);
        combination.add(this, name, weights);
    }

    /**
     * Puts the original layers back and releases all adapters; the model is then what it was before
     * {@link #attach}, bit for bit. Trainers of the adapted model cannot go on; predictors run the
     * base.
     */
    public void detach() {
        if (!detached) {
            detached = true;
            adapters.values().forEach(adapter -> adapter.copies().close());
            layers.close();
            selection.set(List.of());
            trainable = Map.of();
            merged = List.of();
            if (statistics != null) {
                statistics.close();
            }
            state.restore(adapted);
            manager.close();
        }
    }

    /**
     * Detaches and leaves the active adapters' changes in the model: the weights of their targets
     * are replaced by merged copies, as are trained biases and modules. The original arrays are not
     * written to, but the model no longer holds them: close its trainers and predictors first.
     *
     * @throws ArithmeticException if a merged weight would hold NaN or infinity; nothing changes
     */
    public void mergeAndDetach() {
        checkOpen();
        List<String> names = getActive();
        Map<LoraLinear, NDArray> weights = mergedWeights(names);
        Map<Parameter, NDArray> results = new IdentityHashMap<>();
        for (String name : names) {
            PrivateCopies copies = adapter(name).copies();
            copies.getOriginals()
                    .forEach((p, o) -> results.put(o, copies.getCopies().get(p).duplicate()));
        }
        results.values().forEach(array -> array.attach(model.getNDManager()));
        detach();
        // After the copies: a merged weight holds a copy that stood in its layer.
        weights.forEach((layer, weight) -> results.put(layer.getWeightParameter(), weight));
        results.forEach(
                (parameter, array) -> {
                    array.attach(model.getNDManager());
                    parameter.close();
                    parameter.setShape(null);
                    parameter.setArray(array);
                    array.setRequiresGradient(state.requiredGradient(parameter));
                });
        if (getBase() instanceof StoredWeights stored && !results.isEmpty()) {
            stored.weightsChanged();
        }
    }

    /**
     * Trains with the activations of one stage in memory instead of all, at the price of one more
     * forward pass. The loss is then computed within the forward pass of training, which returns it
     * in the place of predictions.
     *
     * @param loss the loss of predictions
     * @return the loss to train with, which lets a computed loss pass; a loss that does so by
     *     itself can be used as well
     * @throws IllegalArgumentException if the base is not a chain of stages
     */
    public Loss checkpointActivations(Loss loss) {
        StagedBlock stages =
                StagedBlocks.of(getBase())
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                getBase().getClass().getSimpleName()
                                                        + " is not a chain of stages: implement"
                                                        + " StagedBlock to checkpoint its"
                                                        + " activations"));
        StagedTraining checkpointed =
                StagedTraining.checkpointed(stages, loss, () -> trainable.values());
        adapted.setTraining(checkpointed);
        return checkpointed.getLoss();
    }

    /** Detaches. */
    @Override
    public void close() {
        detach();
    }

    /**
     * Returns the trainable parameters of the active adapters.
     *
     * @return parameters by dotted path, A and B as {@code PATH.lora_A.NAME}
     */
    public Map<String, Parameter> getTrainableParameters() {
        return trainable;
    }

    /**
     * Returns the number of trainable elements.
     *
     * @return the count
     */
    public long getTrainableCount() {
        return trainable.values().stream().mapToLong(p -> p.getArray().size()).sum();
    }

    /**
     * Returns the layers that an adapter changes.
     *
     * @param name the adapter's name
     * @return layers by dotted path
     */
    public Map<String, LoraLinear> getTargets(String name) {
        Map<String, LoraLinear> result = new LinkedHashMap<>();
        adapter(name).layers().forEach(layer -> result.put(layer.getPath(), layer));
        return result;
    }

    /**
     * Finds the layers that an adapter of a configuration would change, without adding it.
     *
     * @param config the configuration
     * @return dotted paths in the order of the model
     * @throws IllegalArgumentException if a pattern matches nothing
     */
    public List<String> findTargets(LoraConfig config) {
        Map<Block, String> paths = new IdentityHashMap<>();
        Set<String> result = new LinkedHashSet<>();
        for (BlockTree.Node node : new TargetSelection(config, getBase()).targets()) {
            boolean wrapped = node.block() instanceof LoraLinear;
            String path = wrapped ? ((LoraLinear) node.block()).getPath() : node.path();
            String first = paths.putIfAbsent(node.block(), path);
            result.add(first == null ? path : first);
        }
        return List.copyOf(result);
    }

    /**
     * Returns the copies of base parameters that an adapter trains.
     *
     * @param name the adapter's name
     * @return the copies
     */
    public PrivateCopies getPrivateCopies(String name) {
        return adapter(name).copies();
    }

    /**
     * Returns an adapter's configuration.
     *
     * @param name the adapter's name
     * @return the configuration
     */
    public LoraConfig getConfig(String name) {
        return adapter(name).config();
    }

    /**
     * Returns the adapters.
     *
     * @return adapter names
     */
    public Set<String> getAdapters() {
        return adapters.keySet();
    }

    /**
     * Returns the active adapters.
     *
     * @return adapter names, none while switched off
     */
    public List<String> getActive() {
        return selection.isEnabled() ? selection.get() : List.of();
    }

    /**
     * Tells whether an adapter still waits for {@link LoraGa}.
     *
     * @param name the adapter's name
     * @return true if it does
     */
    public boolean isStartPending(String name) {
        return adapter(name).isPending();
    }

    /**
     * Returns the model.
     *
     * @return the DJL model
     */
    public Model getModel() {
        return model;
    }

    /**
     * Returns the base block, with its targets wrapped.
     *
     * @return the block
     */
    public Block getBase() {
        return state.getBlock();
    }

    /**
     * Returns the block of the adapted model.
     *
     * @return the block around {@link #getBase}
     */
    public AdaptedBlock getBlock() {
        return adapted;
    }

    /**
     * Returns the manager that owns the adapters' arrays.
     *
     * @return the manager
     */
    public NDManager getManager() {
        return manager;
    }

    private void checkDisjointCopies(List<String> names) {
        Map<Parameter, String> owners = new IdentityHashMap<>();
        for (String name : names) {
            Map<String, Parameter> originals = adapter(name).copies().getOriginals();
            for (Map.Entry<String, Parameter> e : originals.entrySet()) {
                String other = owners.put(e.getValue(), name);
                if (other != null && !other.equals(name)) {
                    throw new IllegalArgumentException(
                            "adapters "
                                    + other
                                    + " and "
                                    + name
                                    + " both train "
                                    + e.getKey()
                                    + " and cannot be active together");
                }
            }
        }
    }

    /** Runs the base model alone in this thread, its original biases and modules included. */
    AdapterSelection.Scope baseAlone() {
        AdapterSelection.Scope originals = withoutCopies();
        AdapterSelection.Scope none = selection.use(List.of());
        return () -> {
            none.close();
            originals.close();
        };
    }

    AdapterSelection.Scope withoutCopies() {
        adapters.values().forEach(adapter -> adapter.copies().swapOut());
        return () -> getActive().forEach(name -> adapter(name).copies().swapIn());
    }

    /** Refuses an adapter whose start is pending. */
    void checkStarted(String name) {
        if (adapter(name).isPending()) {
            throw new IllegalStateException(
                    "adapter "
                            + name
                            + " waits for its start: add a LoraGaListener to the training"
                            + " configuration or call LoraGa.start first");
        }
    }

    private List<String> known(List<String> names) {
        names.forEach(this::adapter);
        if (new HashSet<>(names).size() < names.size()) {
            throw new IllegalArgumentException("an adapter is named twice in " + names);
        }
        return List.copyOf(names);
    }

    private Adapter adapter(String name) {
        Adapter adapter = adapters.get(name);
        if (adapter == null) {
            throw new IllegalArgumentException(
                    "there is no adapter " + name + "; the model has " + adapters.keySet());
        }
        return adapter;
    }

    AdapterSelection selection() {
        return selection;
    }

    Map<String, Adapter> adapters() {
        return adapters;
    }

    void checkOpen() {
        if (detached) {
            throw new IllegalStateException("the adapters have been detached");
        }
    }
}
