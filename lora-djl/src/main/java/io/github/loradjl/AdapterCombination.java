package io.github.loradjl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.adapter.TargetMatcher;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;
import io.github.loradjl.torch.GradientMode;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** How {@link LoraModel#addWeightedAdapter} forms one adapter from several. */
public enum AdapterCombination {

    /**
     * Stacks all factors: exactly the weighted sum of the updates; the rank is the sum of ranks.
     */
    CONCATENATE {
        @Override
        LowRankUpdate combine(List<Part> parts, NDManager manager) {
            NDList as = new NDList();
            NDList bs = new NDList();
            for (Part part : parts) {
                LowRankUpdate update = part.update();
                double factor = part.weight() * update.getScaling();
                as.add(update.getA().mul(factor));
                bs.add(update.getB().duplicate());
                if (update.getA0() != null) {
                    as.add(update.getA0().mul(-factor));
                    bs.add(update.getB0().duplicate());
                }
            }
            try (as;
                    bs) {
                return update(NDArrays.concat(as, 0), NDArrays.concat(bs, 1), manager);
            }
        }
    },

    /**
     * Adds the factors, each weighted by the root of its weight and scaling: cheap, of the same
     * rank, and not the sum of the updates. Needs equal ranks and no subtracted start.
     */
    LINEAR {
        @Override
        LowRankUpdate combine(List<Part> parts, NDManager manager) {
            if (parts.stream().anyMatch(part -> part.update().getA0() != null)) {
                throw new IllegalArgumentException(
                        "adapters with a subtracted start have no linear combination of"
                                + " factors: use CONCATENATE or SVD");
            }
            if (parts.stream().mapToInt(part -> part.update().getRank()).distinct().count() > 1) {
                throw new IllegalArgumentException(
                        "a linear combination needs equal ranks: use CONCATENATE or SVD");
            }
            NDArray a = null;
            NDArray b = null;
            for (Part part : parts) {
                LowRankUpdate update = part.update();
                double factor = part.weight() * update.getScaling();
                double root = Math.sqrt(Math.abs(factor));
                NDArray nextA = update.getA().mul(Math.signum(factor) * root);
                NDArray nextB = update.getB().mul(root);
                if (a == null) {
                    a = nextA;
                    b = nextB;
                } else {
                    a.addi(nextA);
                    b.addi(nextB);
                    nextA.close();
                    nextB.close();
                }
            }
            return update(a, b, manager);
        }
    },

    /** Takes the best approximation of the weighted sum at the largest of the ranks. */
    SVD {
        @Override
        LowRankUpdate combine(List<Part> parts, NDManager manager) {
            int rank = parts.stream().mapToInt(p -> p.update().getRank()).max().orElseThrow();
            NDArray sum = null;
            for (Part part : parts) {
                NDArray delta = part.update().delta(manager).muli(part.weight());
                if (sum == null) {
                    sum = delta;
                } else {
                    sum.addi(delta);
                    delta.close();
                }
            }
            try (NDArray total = sum;
                    SingularFactors factors = TruncatedSvd.compute(total, rank, EXACT, manager)) {
                return update(factors.vt().duplicate(), factors.u().mul(factors.s()), manager);
            }
        }
    };

    private static final SvdOptions EXACT = SvdOptions.builder().optExact(true).build();

    /** One adapter's share of a layer. */
    record Part(LowRankUpdate update, double weight) {}

    abstract LowRankUpdate combine(List<Part> parts, NDManager manager);

    private static LowRankUpdate update(NDArray a, NDArray b, NDManager manager) {
        a.attach(manager);
        b.attach(manager);
        return new LowRankUpdate(a, b, 1, 0);
    }

    void add(LoraModel lora, String name, Map<String, Double> weights) {
        if (weights.isEmpty()) {
            throw new IllegalArgumentException("there are no adapters to combine into " + name);
        }
        Map<String, List<Part>> parts = new LinkedHashMap<>();
        weights.forEach(
                (adapter, weight) -> {
                    if (!lora.getPrivateCopies(adapter).isEmpty()) {
                        throw new IllegalArgumentException(
                                "adapter "
                                        + adapter
                                        + " trains biases or whole modules, which cannot be"
                                        + " combined");
                    }
                    for (LoraLinear layer : lora.getTargets(adapter).values()) {
                        parts.computeIfAbsent(layer.getPath(), p -> new ArrayList<>())
                                .add(new Part(layer.get(adapter), weight));
                    }
                });
        Map<String, LowRankUpdate> updates = new LinkedHashMap<>();
        Map<String, Integer> ranks = new LinkedHashMap<>();
        Map<String, Double> alphas = new LinkedHashMap<>();
        try (GradientMode mode = GradientMode.off()) {
            parts.forEach(
                    (path, list) -> {
                        LowRankUpdate update = combine(list, lora.getManager());
                        updates.put(path, update);
                        String pattern = "^" + TargetMatcher.literal(path);
                        ranks.put(pattern, update.getRank());
                        alphas.put(pattern, (double) update.getRank());
                    });
            lora.addAdapter(
                    name,
                    LoraConfig.builder()
                            .optTargetPattern(
                                    updates.keySet().stream()
                                            .map(TargetMatcher::literal)
                                            .collect(Collectors.joining("|")))
                            .optRankPattern(ranks)
                            .optAlphaPattern(alphas)
                            .build(),
                    updates);
        } catch (RuntimeException e) {
            if (!lora.getAdapters().contains(name)) {
                updates.values().forEach(LowRankUpdate::close);
            }
            throw e;
        }
    }
}
