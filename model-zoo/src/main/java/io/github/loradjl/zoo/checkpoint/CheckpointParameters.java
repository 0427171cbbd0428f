package io.github.loradjl.zoo.checkpoint;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.util.Progress;

import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.safetensors.Safetensors;
import io.github.loradjl.safetensors.TensorInfo;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.StagedModel;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Matches the parameters of a block with the tensors of a checkpoint, by path. */
final class CheckpointParameters {

    private static final int NAMES_SHOWN = 5;

    private final StagedModel model;
    private final Map<String, Parameter> parameters;
    private final Safetensors tensors;

    CheckpointParameters(StagedModel model, Safetensors tensors) {
        this.model = model;
        this.tensors = tensors;
        parameters = of(model);
        Set<String> own = model.getOwnParameters();
        if (own.stream().noneMatch(tensors.names()::contains)) {
            parameters.keySet().removeAll(own);
        }
    }

    /** Lists a block's parameters by their dotted path. */
    static Map<String, Parameter> of(Block block) {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        for (BlockTree.Node node : BlockTree.walk(block)) {
            node.block()
                    .getDirectParameters()
                    .forEach(p -> parameters.put(node.path(p.getKey()), p.getValue()));
        }
        return parameters;
    }

    /**
     * Checks all names and shapes before anything is read.
     *
     * @param where the checkpoint
     * @throws MalformedModelException naming everything that is missing, left over or misshapen
     */
    void check(String where) throws MalformedModelException, IOException {
        List<String> missing = new ArrayList<>();
        List<String> misshapen = new ArrayList<>();
        List<String> unexpected = new ArrayList<>();
        for (Map.Entry<String, Parameter> entry : parameters.entrySet()) {
            String name = entry.getKey();
            String source = source(name);
            if (source == null) {
                missing.add(name);
                continue;
            }
            TensorInfo info = tensors.info(source);
            Shape wanted = entry.getValue().getShape();
            if (!info.shape().equals(wanted)) {
                misshapen.add(name + " is " + info.shape() + ", not " + wanted);
            }
        }
        for (String name : tensors.names()) {
            if (!parameters.containsKey(name) && !model.isUnused(name) && !isCopy(name)) {
                unexpected.add(name);
            }
        }
        if (missing.isEmpty() && misshapen.isEmpty() && unexpected.isEmpty()) {
            return;
        }
        throw new MalformedModelException(
                "the tensors in "
                        + where
                        + " do not fit its config.json:"
                        + shown(" missing: ", missing)
                        + shown(" of another shape: ", misshapen)
                        + shown(" not expected: ", unexpected));
    }

    /** Some checkpoints store tied weights once for each of their places. */
    private boolean isCopy(String name) throws IOException {
        String original = model.getCopies().get(name);
        String source = original == null ? null : source(original);
        return source != null && tensors.areEqual(name, source);
    }

    /** Finds the tensor of a parameter; tied weights may be stored in another of their places. */
    private String source(String name) {
        if (tensors.names().contains(name)) {
            return name;
        }
        return tensors.names().stream()
                .filter(other -> name.equals(model.getCopies().get(other)))
                .filter(other -> !parameters.containsKey(other))
                .findFirst()
                .orElse(null);
    }

    private static String shown(String what, List<String> names) {
        if (names.isEmpty()) {
            return "";
        }
        int more = names.size() - NAMES_SHOWN;
        String list = String.join("; ", names.subList(0, Math.min(NAMES_SHOWN, names.size())));
        return what + list + (more > 0 ? "; and " + more + " more" : "") + ".";
    }

    /**
     * Gives each parameter its tensor; the model's own ones that the checkpoint lacks are left out.
     *
     * @param dataType FLOAT32, or BFLOAT16 to keep bfloat16 as it is and round the rest
     * @param writable true to copy what would share a read-only map of the file
     */
    void load(NDManager manager, DataType dataType, boolean writable, Progress progress)
            throws IOException {
        if (progress != null) {
            progress.reset("Loading", parameters.size());
        }
        for (Map.Entry<String, Parameter> entry : parameters.entrySet()) {
            boolean isOwn = model.getOwnParameters().contains(entry.getKey());
            DataType type = isOwn ? DataType.FLOAT32 : dataType;
            NDArray array = read(source(entry.getKey()), manager, type, writable);
            Parameter parameter = entry.getValue();
            parameter.setShape(null);
            parameter.setArray(array);
            if (progress != null) {
                progress.increment(1);
            }
        }
    }

    private NDArray read(String name, NDManager manager, DataType dataType, boolean writable)
            throws IOException {
        boolean stored = "BF16".equals(tensors.info(name).dtype());
        if (dataType == DataType.BFLOAT16) {
            if (stored) {
                return tensors.readStored(manager, name);
            }
            try (NDManager scratch = manager.newSubManager()) {
                NDArray array = TorchOps.toBfloat16(tensors.read(scratch, name));
                array.attach(manager);
                return array;
            }
        }
        if (!writable || stored) {
            return tensors.read(manager, name);
        }
        try (NDManager scratch = manager.newSubManager()) {
            NDArray array = tensors.read(scratch, name).duplicate();
            array.attach(manager);
            return array;
        }
    }
}
