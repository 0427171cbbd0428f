package io.github.loradjl.zoo.checkpoint;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.BlockTree;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.internal.AtomicFile;
import io.github.loradjl.safetensors.SafetensorsFile;
import io.github.loradjl.safetensors.TensorInfo;
import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;
import io.github.loradjl.zoo.block.StagedModel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Writes a checkpoint with an adapter merged into it: W0 + eta (B A - B0 A0).
 *
 * <p>The new folder has the files of the old one: the same shards, the same headers, and every byte
 * the same but for the weights that the adapter changes. Those are widened to float32, changed, and
 * rounded once to the type in which they are stored. One weight at a time is in memory. Where the
 * files store a tied weight in more than one of its places, or in another one than the model's, all
 * of them change.
 */
public final class MergedCheckpoint {

    private static final String WEIGHTS = ".safetensors";
    private static final String WEIGHT = ".weight";

    private final Map<String, LowRankUpdate> updates = new HashMap<>();
    private final Map<String, NDArray> replacements = new HashMap<>();
    private final Map<String, String> copies = new HashMap<>();
    private final Set<String> own;
    private final NDManager manager;

    private MergedCheckpoint(LoraModel lora, String adapter) {
        manager = lora.getManager();
        if (lora.getBase() instanceof StagedModel model) {
            own = model.getOwnParameters();
            copies.putAll(model.getCopies());
            // A head that is not tied has the name of a copy and a layer of its own.
            for (BlockTree.Node node : BlockTree.walk(model)) {
                copies.remove(node.path() + WEIGHT);
            }
        } else {
            own = Set.of();
        }
        for (LoraLinear layer : lora.getTargets(adapter).values()) {
            updates.put(layer.getPath() + WEIGHT, layer.get(adapter));
        }
        // A layer may be both a target and a private copy; the copy is what its update adds to.
        Map<String, NDArray> trained = lora.getPrivateCopies(adapter).getCopies();
        replacements.putAll(trained);
        copies.forEach(
                (copy, original) -> {
                    if (trained.containsKey(original)) {
                        replacements.put(copy, trained.get(original));
                    }
                });
    }

    /**
     * Writes the files.
     *
     * @param base the Hugging Face folder that the model was loaded from
     * @param lora the model
     * @param adapter the name of the adapter
     * @param folder an existing, empty folder
     * @throws IOException if reading or writing fails, or the folder lacks a changed weight
     * @throws IllegalStateException if the start of the adapter is still pending
     * @throws ArithmeticException if a merged weight would hold NaN or infinity
     */
    public static void write(Path base, LoraModel lora, String adapter, Path folder)
            throws IOException {
        if (lora.isStartPending(adapter)) {
            throw new IllegalStateException(
                    "adapter "
                            + adapter
                            + " waits for its start and has nothing to merge: run the gradient pass"
                            + " first, by a LoraGaListener or LoraGa.start");
        }
        MergedCheckpoint merged = new MergedCheckpoint(lora, adapter);
        List<Path> files = new ArrayList<>();
        try (Stream<Path> list = Files.list(base)) {
            list.filter(Files::isRegularFile).sorted(Comparator.naturalOrder()).forEach(files::add);
        }
        List<Path> weights = files.stream().filter(f -> f.toString().endsWith(WEIGHTS)).toList();
        merged.checkComplete(base, weights);
        for (Path file : weights) {
            merged.writeWeights(file, folder.resolve(file.getFileName()));
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            if (isCompanion(name)) {
                AtomicFile.copy(file, folder.resolve(name));
            }
        }
    }

    /** Fails before anything is written. */
    private void checkComplete(Path base, List<Path> weights) throws IOException {
        Set<String> missing = new TreeSet<>(updates.keySet());
        missing.addAll(replacements.keySet());
        missing.removeAll(copies.keySet());
        for (Path path : weights) {
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                for (String name : file.names()) {
                    missing.remove(copies.getOrDefault(name, name));
                }
            }
        }
        Set<String> ownMissing = new TreeSet<>(missing);
        ownMissing.retainAll(own);
        if (!ownMissing.isEmpty()) {
            throw new IOException(
                    "a Hugging Face folder of this model has no place for "
                            + ownMissing
                            + ": keep the adapter, which holds them");
        }
        if (!missing.isEmpty()) {
            throw new IOException(
                    base
                            + " has no tensors for the adapted weights "
                            + missing
                            + ": give the folder that the model was loaded from");
        }
    }

    /** Weights in other formats would still be those of the base, so they stay behind. */
    private static boolean isCompanion(String name) {
        return name.endsWith(".json")
                || name.endsWith(".txt")
                || name.endsWith(".jinja")
                || name.endsWith(".model")
                || name.startsWith("LICENSE");
    }

    private void writeWeights(Path source, Path target) throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(source);
                FileChannel in = FileChannel.open(source, StandardOpenOption.READ)) {
            List<TensorInfo> changed =
                    file.names().stream()
                            .filter(
                                    name ->
                                            updates.containsKey(name)
                                                    || replacements.containsKey(name))
                            .map(file::info)
                            .sorted(Comparator.comparingLong(TensorInfo::position))
                            .toList();
            AtomicFile.write(
                    target,
                    out -> {
                        long at = 0;
                        for (TensorInfo tensor : changed) {
                            AtomicFile.copyBytes(in, at, tensor.position(), out);
                            writeMerged(file, tensor, out);
                            at = tensor.position() + tensor.length();
                        }
                        AtomicFile.copyBytes(in, at, in.size(), out);
                    });
        }
    }

    private void writeMerged(SafetensorsFile file, TensorInfo tensor, FileChannel out)
            throws IOException {
        try (GradientMode mode = GradientMode.off();
                NDManager scope = manager.newSubManager(Device.cpu())) {
            NDArray weight = base(scope, file, tensor);
            LowRankUpdate update = updates.get(tensor.name());
            if (update != null) {
                NDArray delta = update.delta(scope).toDevice(Device.cpu(), false);
                delta.attach(scope);
                weight = weight.add(delta);
            }
            if (!Double.isFinite(TorchOps.squareSum(weight))) {
                throw new ArithmeticException(
                        "merging into " + tensor.name() + " gives NaN or infinity");
            }
            ByteBuffer bytes = stored(weight, tensor, file.path());
            if (bytes.remaining() != tensor.length()) {
                throw new IOException(
                        file.path() + ": " + tensor.name() + " has another shape than the adapter");
            }
            AtomicFile.writeAll(out, bytes);
        }
    }

    private NDArray base(NDManager scope, SafetensorsFile file, TensorInfo tensor)
            throws IOException {
        NDArray replacement = replacements.get(tensor.name());
        if (replacement == null) {
            return file.read(scope, tensor.name());
        }
        // The cast belongs to the manager of the copy, which outlives this weight.
        NDArray wide = TorchOps.toFloat32(replacement);
        wide.attach(scope);
        return TorchOps.alias(wide.toDevice(Device.cpu(), false), scope);
    }

    private static ByteBuffer stored(NDArray weight, TensorInfo tensor, Path file)
            throws IOException {
        return switch (tensor.dtype()) {
            case "F32" -> weight.toByteBuffer(false);
            case "F16" -> TorchOps.toFloat16(weight).toByteBuffer(false);
            case "BF16" ->
                    TorchOps.bfloat16AsBytes(TorchOps.toBfloat16(weight)).toByteBuffer(false);
            default ->
                    throw new IOException(
                            file
                                    + ": "
                                    + tensor.name()
                                    + " is stored as "
                                    + tensor.dtype()
                                    + ", which nothing can be merged into");
        };
    }
}
