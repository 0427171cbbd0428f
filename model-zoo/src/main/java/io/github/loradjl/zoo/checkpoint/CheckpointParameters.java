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
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Matches the parameters of a block with the tensors of a checkpoint, by path. */
final class CheckpointParameters {

    private static final int NAMES_SHOWN = 5;

    private CheckpointParameters() {}

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
     * @param parameters the parameters of the model
     * @throws MalformedModelException naming everything that is missing, left over or misshapen
     */
    static void check(
            StagedModel model, Map<String, Parameter> parameters, Safetensors tensors, String where)
            throws MalformedModelException, IOException {
        List<String> missing = new ArrayList<>();
        List<String> misshapen = new ArrayList<>();
        List<String> unexpected = new ArrayList<>();
        for (Map.Entry<String, Parameter> entry : parameters.entrySet()) {
            String name = entry.getKey();
            if (!tensors.names().contains(name)) {
                missing.add(name);
                continue;
            }
            TensorInfo info = tensors.info(name);
            Shape wanted = entry.getValue().getShape();
            if (!info.shape().equals(wanted)) {
                misshapen.add(name + " is " + info.shape() + ", not " + wanted);
            }
        }
        for (String name : tensors.names()) {
            if (!parameters.containsKey(name)
                    && !model.isUnused(name)
                    && !isCopy(model, name, tensors)) {
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
    private static boolean isCopy(StagedModel model, String name, Safetensors tensors)
            throws IOException {
        String original = model.getCopies().get(name);
        return original != null
                && tensors.names().contains(original)
                && Arrays.equals(tensors.sha256(name), tensors.sha256(original));
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
     * Gives each parameter its tensor.
     *
     * @param dataType FLOAT32, or BFLOAT16 to keep bfloat16 as it is and round the rest
     * @param writable true to copy what would share a read-only map of the file
     */
    static void load(
            Map<String, Parameter> parameters,
            Safetensors tensors,
            NDManager manager,
            DataType dataType,
            boolean writable,
            Progress progress)
            throws IOException {
        if (progress != null) {
            progress.reset("Loading", parameters.size());
        }
        for (Map.Entry<String, Parameter> entry : parameters.entrySet()) {
            NDArray array = read(tensors, entry.getKey(), manager, dataType, writable);
            Parameter parameter = entry.getValue();
            parameter.setShape(null);
            parameter.setArray(array);
            if (progress != null) {
                progress.increment(1);
            }
        }
    }

    private static NDArray read(
            Safetensors tensors,
            String name,
            NDManager manager,
            DataType dataType,
            boolean writable)
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
