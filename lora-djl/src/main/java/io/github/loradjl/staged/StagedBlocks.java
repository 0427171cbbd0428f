package io.github.loradjl.staged;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.ParameterStore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Finds the stages of a block. */
public final class StagedBlocks {

    private StagedBlocks() {}

    /**
     * Returns a block as a chain of stages, if it is one: a {@link StagedBlock}, or a {@link
     * SequentialBlock}, whose children are its stages unless it returns what each of them gave.
     *
     * @param block the block
     * @return its chain, or empty
     */
    public static Optional<StagedBlock> of(Block block) {
        if (block instanceof StagedBlock staged) {
            return Optional.of(staged);
        }
        if (block instanceof SequentialBlock sequential
                && !sequential.isReturnIntermediate()
                && !sequential.getChildren().isEmpty()) {
            return Optional.of(() -> childrenOf(sequential));
        }
        return Optional.empty();
    }

    /**
     * Returns the first stage that uses one of some parameters; a backward pass for them ends
     * there.
     *
     * @param block the chain
     * @param parameters the parameters
     * @return the index of the stage, or the number of stages if none uses any
     */
    public static int lowestStage(StagedBlock block, Collection<Parameter> parameters) {
        Set<Parameter> wanted = Collections.newSetFromMap(new IdentityHashMap<>());
        wanted.addAll(parameters);
        List<Stage> stages = block.getStages();
        for (int s = 0; s < stages.size(); s++) {
            for (Block part : stages.get(s).getBlocks()) {
                if (part.getParameters().values().stream().anyMatch(wanted::contains)) {
                    return s;
                }
            }
        }
        return stages.size();
    }

    private static List<Stage> childrenOf(SequentialBlock sequential) {
        List<Stage> stages = new ArrayList<>();
        for (Block child : sequential.getChildren().values()) {
            stages.add(new ChildStage(child));
        }
        return stages;
    }

    private record ChildStage(Block child) implements Stage {

        @Override
        public List<Block> getBlocks() {
            return List.of(child);
        }

        @Override
        public NDList forward(ParameterStore store, NDList inputs, boolean training) {
            return child.forward(store, inputs, training);
        }

        /** Nothing is known about the lists between children, so nothing is left out. */
        @Override
        public boolean carriesGradient(int index) {
            return true;
        }
    }
}
