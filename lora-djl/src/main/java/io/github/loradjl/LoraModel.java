package io.github.loradjl;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import ai.djl.training.loss.Loss;

import io.github.loradjl.adapter.AdaptedBlock;
import io.github.loradjl.adapter.AdapterSelection;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.adapter.PrivateCopies;
import io.github.loradjl.adapter.RunningStatistics;
import io.github.loradjl.init.InitContext;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.init.LoraStart;
import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.staged.ActivationCheckpointing;
import io.github.loradjl.staged.StagedBlock;
import io.github.loradjl.staged.StagedBlocks;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model with LoRA adapters: attached to any DJL {@link Model} whose block is loaded, trained and
 * run through that same model, and detached without a trace.
 *
 * <p>While attached, the model's block is an {@link AdaptedBlock} around the original one; {@code
 * newTrainer}, {@code newPredictor}, {@code save} and {@code load} go on working and see the base
 * under its own names. Base weights are frozen, stay frozen and are never written to.
 *
 * <p>Adapters are added and switched by one thread; predictions may run from many, each with its
 * own choice of adapters ({@link #use}). Native memory is released by {@link #detach} or {@link
 * #close}.
 */
public final class LoraModel implements AutoCloseable {

    /** The name of the adapter that {@link #attach(Model, LoraConfig)} makes. */
    public static final String DEFAULT_ADAPTER = "default";

    private static final Logger logger = LoggerFactory.getLogger(LoraModel.class);

    private final Model model;
    private final Block base;
    private final AdaptedBlock adapted;
    private final NDManager manager;
    private final AdapterSelection selection = new AdapterSelection();
    private final Map<String, Adapter> adapters = new LinkedHashMap<>();
    private final Map<String, LoraLinear> layers = new LinkedHashMap<>();
    private final Map<BlockTree.Node, Linear> replaced = new LinkedHashMap<>();
    private final Map<Parameter, Boolean> gradientFlags = new IdentityHashMap<>();
    private RunningStatistics statistics;
    private boolean detached;

    private LoraModel(Model model) {
        this.model = model;
        base = model.getBlock();
        manager = model.getNDManager().newSubManager();
        manager.setName("lora");
        for (Parameter parameter : base.getParameters().values()) {
            gradientFlags.put(parameter, parameter.requiresGradient());
            parameter.freeze(true);
        }
        adapted =
                new AdaptedBlock(
                        base,
                        selection,
                        this::activeLayers,
                        () -> trainableParameters().values(),
                        this::checkTrainable);
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
     * Adds an adapter, inactive at first.
     *
     * @param name a name without dots
     * @param config its configuration
     * @throws IllegalArgumentException if the name is taken or has a dot, or as in {@link #attach};
     *     the model is then unchanged
     */
    public void addAdapter(String name, LoraConfig config) {
        Adapter adapter = newAdapter(name, config);
        boolean pending = config.getInit().needsGradient();
        try {
            for (LoraLinear layer : adapter.layers()) {
                String path = layer.getPath();
                config.getInit().check(path, layer.getWeight().getShape(), config.rankOf(path));
            }
            for (LoraLinear layer : adapter.layers()) {
                layer.put(name, pending ? unstarted(layer, config) : started(layer, config, null));
            }
        } catch (RuntimeException e) {
            removeAdapter(name);
            throw e;
        }
        adapter.setPending(pending);
        if (pending && !config.isRankStabilized()) {
            logger.warn(
                    "LoRA-GA's scale depends on the rank unless the scaling is rank-stabilised"
                            + " (LoraConfig.Builder.optRankStabilized).");
        }
    }

    /**
     * Adds an adapter whose factors are known, for instance from a file; nothing is pending.
     *
     * @param name a name without dots
     * @param config its configuration
     * @param updates one update for each target; owned by this model from now on
     * @throws IllegalArgumentException if the updates are not exactly those of the targets
     */
    public void addAdapter(String name, LoraConfig config, Map<String, LowRankUpdate> updates) {
        Adapter adapter = newAdapter(name, config);
        List<String> targets = adapter.layers().stream().map(LoraLinear::getPath).toList();
        if (!updates.keySet().equals(Set.copyOf(targets))) {
            removeAdapter(name);
            throw new IllegalArgumentException(
                    "adapter "
                            + name
                            + " has updates for "
                            + updates.keySet()
                            + " but its targets are "
                            + targets);
        }
        adapter.layers().forEach(layer -> layer.put(name, updates.get(layer.getPath())));
    }

    private Adapter newAdapter(String name, LoraConfig config) {
        checkOpen();
        if (name.isBlank() || name.contains(".")) {
            throw new IllegalArgumentException("an adapter's name has no dots, is \"" + name + '"');
        }
        if (adapters.containsKey(name)) {
            throw new IllegalArgumentException(
                    "adapter " + name + " exists already: remove it first or choose another name");
        }
        TargetSelection selected = new TargetSelection(config, base);
        List<BlockTree.Node> targets = selected.targets();
        List<LoraLinear> own = wrap(targets);
        PrivateCopies copies = new PrivateCopies(manager);
        selected.privateParameters(own).forEach(copies::add);
        Adapter adapter = new Adapter(config, own, copies);
        adapters.put(name, adapter);
        if (statistics == null && !config.isUpdateRunningStatistics()) {
            statistics = RunningStatistics.freeze(base);
        }
        adapted.targetsChanged();
        return adapter;
    }

    /** Wraps each target once, and takes the wrappers back if one of them does not fit. */
    private List<LoraLinear> wrap(List<BlockTree.Node> targets) {
        Map<Linear, LoraLinear> wrappers = new IdentityHashMap<>();
        List<LoraLinear> own = new ArrayList<>();
        Map<BlockTree.Node, Linear> done = new LinkedHashMap<>();
        try {
            for (BlockTree.Node node : targets) {
                Linear linear = (Linear) node.block();
                if (linear instanceof LoraLinear layer) {
                    if (!own.contains(layer)) {
                        own.add(layer);
                    }
                    continue;
                }
                boolean first = !wrappers.containsKey(linear);
                LoraLinear layer =
                        wrappers.computeIfAbsent(
                                linear, l -> new LoraLinear(l, node.path(), selection));
                BlockTree.replace(node, layer);
                done.put(node, linear);
                if (first) {
                    own.add(layer);
                }
            }
        } catch (RuntimeException e) {
            done.forEach(BlockTree::replace);
            throw e;
        }
        replaced.putAll(done);
        wrappers.values().forEach(layer -> layers.put(layer.getPath(), layer));
        return own;
    }

    private LowRankUpdate unstarted(LoraLinear layer, LoraConfig config) {
        int r = config.rankOf(layer.getPath());
        LowRankUpdate update =
                new LowRankUpdate(
                        manager.zeros(new Shape(r, layer.getIn())),
                        manager.zeros(new Shape(layer.getOut(), r)),
                        config.scalingOf(layer.getPath()),
                        config.getDropout());
        update.setTrainable(true);
        return update;
    }

    private LowRankUpdate started(LoraLinear layer, LoraConfig config, SingularFactors gradient) {
        LoraInit init = config.getInit();
        String path = layer.getPath();
        InitContext context =
                new InitContext(
                        path,
                        layer.getWeight(),
                        config.rankOf(path),
                        config.scalingOf(path),
                        RandomMatrix.seedFor(config.getSeed(), path),
                        manager,
                        gradient);
        LoraStart start = init.start(context).checked(context);
        LowRankUpdate update =
                new LowRankUpdate(
                        start.a(), start.b(), config.scalingOf(path), config.getDropout());
        if (init.subtractsProduct()) {
            update.subtractCurrent();
        }
        update.setTrainable(true);
        return update;
    }

    /** Starts one target of a pending adapter from its gradient's factors. */
    void start(String name, LoraLinear layer, SingularFactors gradient) {
        Adapter adapter = adapter(name);
        try (LowRankUpdate fresh = started(layer, adapter.config(), gradient)) {
            LowRankUpdate update = layer.get(name);
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
     * Removes an adapter and releases its arrays. Layers that no adapter uses stay wrapped until
     * {@link #detach}.
     *
     * @param name the adapter's name
     */
    public void removeAdapter(String name) {
        Adapter adapter = adapter(name);
        unmerge();
        swapCopies(List.of());
        adapters.remove(name);
        adapter.layers().forEach(layer -> layer.remove(name));
        adapter.copies().close();
        List<String> remaining = new ArrayList<>(selection.get());
        remaining.remove(name);
        selection.set(remaining);
        swapCopies(activeNames());
        adapted.targetsChanged();
    }

    /**
     * Activates adapters, and with them their trained biases and modules; their updates are added.
     *
     * @param names adapter names, none for the base model alone
     */
    public void setActive(String... names) {
        checkOpen();
        List<String> list = Arrays.asList(names);
        list.forEach(this::adapter);
        checkDisjointCopies(list);
        unmerge();
        selection.set(list);
        swapCopies(activeNames());
        adapted.targetsChanged();
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
        swapCopies(activeNames());
    }

    /**
     * Chooses adapters for the calls of the calling thread, until the scope is closed; other
     * threads do not see it.
     *
     * @param names adapter names, none for the base model alone
     * @return the scope
     * @throws IllegalStateException if adapters are merged, or if one of the adapters concerned
     *     trains biases or whole modules, which all threads share
     */
    public AdapterSelection.Scope use(String... names) {
        checkOpen();
        List<String> list = Arrays.asList(names);
        list.forEach(this::adapter);
        if (!getMerged().isEmpty()) {
            throw new IllegalStateException(
                    "adapters " + getMerged() + " are merged: unmerge before choosing per call");
        }
        List<String> concerned = new ArrayList<>(list);
        concerned.addAll(activeNames());
        if (!list.equals(activeNames())) {
            for (String name : concerned) {
                if (!adapter(name).copies().getParameters().isEmpty()) {
                    throw new IllegalStateException(
                            "adapter "
                                    + name
                                    + " trains biases or whole modules, which cannot be chosen per"
                                    + " call: use setActive");
                }
            }
        }
        return selection.use(list);
    }

    /**
     * Merges the active adapters into private copies of their targets' weights, for faster
     * prediction.
     *
     * @throws ArithmeticException if a merged weight would hold NaN or infinity; nothing changes
     */
    public void merge() {
        checkOpen();
        List<String> names = activeNames();
        names.forEach(this::checkStarted);
        try {
            layers.values().forEach(layer -> layer.merge(names));
        } catch (ArithmeticException e) {
            unmerge();
            throw e;
        }
    }

    /** Goes back from merged weights to the base weights and separate updates. */
    public void unmerge() {
        layers.values().forEach(layer -> layer.merge(List.of()));
    }

    /**
     * Returns the merged adapters.
     *
     * @return adapter names
     */
    public List<String> getMerged() {
        return layers.values().stream().flatMap(l -> l.getMerged().stream()).distinct().toList();
    }

    /**
     * Adds an adapter that is a weighted sum of others.
     *
     * @param name the name of the new adapter
     * @param weights the weight of each adapter to combine
     * @param combination how to form one update from several
     */
    public void addWeightedAdapter(
            String name, Map<String, Double> weights, AdapterCombination combination) {
        checkOpen();
        weights.keySet().forEach(this::checkStarted);
        combination.add(this, name, weights);
    }

    /**
     * Puts the original layers back and releases all adapters; the model is then what it was before
     * {@link #attach}, bit for bit. Call it after trainers and predictors of the adapted model are
     * closed.
     */
    public void detach() {
        if (detached) {
            return;
        }
        detached = true;
        adapters.values().forEach(adapter -> adapter.copies().close());
        replaced.forEach(BlockTree::replace);
        layers.values().forEach(LoraLinear::releaseAdapters);
        if (statistics != null) {
            statistics.close();
        }
        gradientFlags.forEach((parameter, flag) -> parameter.freeze(!flag));
        if (model.getBlock() == adapted) {
            model.setBlock(base);
        }
        manager.close();
    }

    /**
     * Detaches and leaves the active adapters' changes in the model: the weights of their targets
     * are replaced by merged copies, as are trained biases and modules. The original arrays are not
     * written to, but the model no longer holds them.
     */
    public void mergeAndDetach() {
        checkOpen();
        List<String> names = activeNames();
        names.forEach(this::checkStarted);
        Map<Parameter, NDArray> results = new IdentityHashMap<>();
        for (LoraLinear layer : layers.values()) {
            if (names.stream().anyMatch(layer.getUpdates()::containsKey)) {
                NDArray mergedWeight = layer.mergedWeight(names);
                results.put(layer.getBase().getDirectParameters().get("weight"), mergedWeight);
            }
        }
        for (String name : names) {
            PrivateCopies copies = adapter(name).copies();
            copies.getParameters()
                    .forEach(
                            (p, param) ->
                                    results.put(param, copies.getCopies().get(p).duplicate()));
        }
        detach();
        results.forEach(
                (parameter, array) -> {
                    array.attach(model.getNDManager());
                    parameter.close();
                    parameter.setShape(null);
                    parameter.setArray(array);
                });
    }

    /**
     * Trains with the activations of one stage in memory instead of all, at the price of one more
     * forward pass. The loss is then computed within the forward pass of training.
     *
     * @param loss the loss of the training
     * @throws IllegalArgumentException if the base is not a chain of stages
     */
    public void checkpointActivations(Loss loss) {
        StagedBlock stages =
                StagedBlocks.of(base)
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                base.getClass().getSimpleName()
                                                        + " is not a chain of stages: implement"
                                                        + " StagedBlock to checkpoint its"
                                                        + " activations"));
        Integer seed = model.getNDManager().getEngine().getSeed();
        ActivationCheckpointing checkpointing =
                new ActivationCheckpointing(
                        stages,
                        loss,
                        () -> trainableParameters().values(),
                        seed == null ? System.nanoTime() : seed);
        adapted.setTrainingForward(checkpointing::forward);
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
        return trainableParameters();
    }

    private Map<String, Parameter> trainableParameters() {
        Map<String, Parameter> result = new LinkedHashMap<>();
        for (String name : activeNames()) {
            Adapter adapter = adapter(name);
            for (LoraLinear layer : adapter.layers()) {
                LowRankUpdate update = layer.get(name);
                result.put(layer.getPath() + ".lora_A." + name, update.getParameterA());
                result.put(layer.getPath() + ".lora_B." + name, update.getParameterB());
            }
            result.putAll(adapter.copies().getParameters());
        }
        return result;
    }

    /**
     * Returns the number of trainable elements.
     *
     * @return the count
     */
    public long getTrainableCount() {
        return trainableParameters().values().stream()
                .mapToLong(p -> p.getArray().getShape().size())
                .sum();
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
        for (BlockTree.Node node : new TargetSelection(config, base).targets()) {
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
        return Collections.unmodifiableSet(adapters.keySet());
    }

    /**
     * Returns the active adapters.
     *
     * @return adapter names, none while switched off
     */
    public List<String> getActive() {
        return activeNames();
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
        return base;
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

    private List<String> activeNames() {
        return selection.isEnabled() ? selection.get() : List.of();
    }

    private Collection<LoraLinear> activeLayers() {
        Map<String, LoraLinear> result = new LinkedHashMap<>();
        activeNames().forEach(name -> result.putAll(getTargets(name)));
        return result.values();
    }

    private void checkDisjointCopies(List<String> names) {
        Map<Parameter, String> owners = new IdentityHashMap<>();
        for (String name : names) {
            adapter(name)
                    .copies()
                    .getParameters()
                    .forEach(
                            (path, parameter) -> {
                                String other = owners.put(parameter, name);
                                if (other != null) {
                                    throw new IllegalArgumentException(
                                            "adapters "
                                                    + other
                                                    + " and "
                                                    + name
                                                    + " both train "
                                                    + path
                                                    + " and cannot be active together");
                                }
                            });
        }
    }

    private void swapCopies(List<String> names) {
        adapters.values().forEach(adapter -> adapter.copies().swapOut());
        names.forEach(name -> adapter(name).copies().swapIn());
    }

    private void checkTrainable() {
        for (String name : activeNames()) {
            checkStarted(name);
        }
        if (!getMerged().isEmpty()) {
            throw new IllegalStateException(
                    "adapters " + getMerged() + " are merged: unmerge before training");
        }
    }

    /** Runs the base model alone in this thread, its original biases and modules included. */
    AdapterSelection.Scope baseAlone() {
        swapCopies(List.of());
        AdapterSelection.Scope scope = selection.use(List.of());
        return () -> {
            scope.close();
            swapCopies(activeNames());
        };
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

    private Adapter adapter(String name) {
        Adapter adapter = adapters.get(name);
        if (adapter == null) {
            throw new IllegalArgumentException(
                    "there is no adapter " + name + "; the model has " + adapters.keySet());
        }
        return adapter;
    }

    private void checkOpen() {
        if (detached) {
            throw new IllegalStateException("the adapters have been detached");
        }
    }
}
