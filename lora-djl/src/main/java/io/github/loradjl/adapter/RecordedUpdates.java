package io.github.loradjl.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;

import io.github.loradjl.staged.GradientSink;
import io.github.loradjl.torch.BackwardOps;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Updates of layers that see the same input, between their forward and their backward pass. With x'
 * the dropped input, h<sub>i</sub> = eta dy<sub>i</sub> B<sub>i</sub>, and A and h without an index
 * for those of all updates, one below and one beside the other,
 *
 * <pre>
 *   dA_i = h_i^T x'      dB_i = dy_i^T (eta x' A_i^T)      dx += h A - h0 A0, where x' kept x
 * </pre>
 *
 * <p>so that what reads or writes x is one product for all of them. An update with dropout drops an
 * input of its own and is therefore alone. What a frozen A or B, or an update that is zero, makes
 * superfluous is not computed.
 *
 * <p>Of each token it keeps the ranks' numbers and, with dropout, a mask; the input comes from the
 * caller.
 */
final class RecordedUpdates {

    private final List<Place> places;
    private final double scaling;
    private final double dropout;
    private final boolean zero;
    private final boolean ofA;
    private final boolean ofB;
    private final Factors now;
    private final Factors start;
    private final NDArray mask;
    private final NDArray xa;

    /**
     * An update and where it belongs.
     *
     * @param update the update
     * @param layer the index of its layer
     */
    record Place(LowRankUpdate update, int layer) {

        /** What updates that are recorded together have in common. */
        Object kind() {
            boolean alone = update.getDropout() > 0;
            return alone
                    ? this
                    : List.of(
                            update.getA0() != null,
                            update.getScaling(),
                            update.isZero(),
                            update.getParameterA().requiresGradient(),
                            update.getParameterB().requiresGradient());
        }
    }

    /** Each B, and all A one below the other. */
    private record Factors(NDArray a, List<NDArray> bs) {

        static Factors of(
                Collection<Parameter> as,
                Collection<Parameter> bs,
                boolean training,
                ParameterStore store,
                NDArray x,
                NDManager manager) {
            List<NDArray> each = values(as, training, store, x);
            NDArray a = each.get(0);
            if (each.size() > 1) {
                a = NDArrays.concat(new NDList(each));
                a.attach(manager);
            }
            return new Factors(a, values(bs, training, store, x));
        }

        private static List<NDArray> values(
                Collection<Parameter> parameters,
                boolean training,
                ParameterStore store,
                NDArray x) {
            return parameters.stream()
                    .map(p -> store.getValue(p, x.getDevice(), training))
                    .toList();
        }
    }

    /** Adds the outputs of updates to those of their layers in place. */
    static List<RecordedUpdates> run(
            List<Place> places,
            ParameterStore store,
            List<NDArray> ys,
            NDArray x,
            NDManager manager) {
        Map<Object, List<Place>> together = new LinkedHashMap<>();
        for (Place place : places) {
            together.computeIfAbsent(place.kind(), kind -> new ArrayList<>()).add(place);
        }
        return together.values().stream()
                .map(some -> new RecordedUpdates(some, store, ys, x, manager))
                .toList();
    }

    private RecordedUpdates(
            List<Place> places,
            ParameterStore store,
            List<NDArray> ys,
            NDArray x,
            NDManager manager) {
        this.places = places;
        LowRankUpdate first = places.get(0).update();
        scaling = first.getScaling();
        dropout = first.getDropout();
        zero = first.isZero();
        ofA = first.getParameterA().requiresGradient();
        ofB = first.getParameterB().requiresGradient();
        List<LowRankUpdate> updates = places.stream().map(Place::update).toList();
        now =
                Factors.of(
                        updates.stream().map(LowRankUpdate::getParameterA).toList(),
                        updates.stream().map(LowRankUpdate::getParameterB).toList(),
                        true,
                        store,
                        x,
                        manager);
        start =
                first.getA0() == null
                        ? null
                        : Factors.of(
                                updates.stream().map(LowRankUpdate::getParameterA0).toList(),
                                updates.stream().map(LowRankUpdate::getParameterB0).toList(),
                                false,
                                store,
                                x,
                                manager);
        if (dropout > 0) {
            NDList result = BackwardOps.dropout(x, dropout);
            mask = result.get(1);
            mask.attach(manager);
            try (NDArray dropped = result.get(0)) {
                xa = kept(ys, dropped, manager);
            }
        } else {
            mask = null;
            xa = kept(ys, x, manager);
        }
    }

    /** Adds to the outputs and returns what the gradient of B needs, null where none is wanted. */
    private NDArray kept(List<NDArray> ys, NDArray x, NDManager manager) {
        if (zero && !ofB) {
            return null;
        }
        NDArray reduced = zero ? BackwardOps.reduced(x, now.a(), scaling) : addTo(ofEach(ys), x);
        if (!ofB) {
            reduced.close();
            return null;
        }
        reduced.attach(manager);
        return reduced;
    }

    private NDArray addTo(List<NDArray> ys, NDArray x) {
        return start == null
                ? BackwardOps.addLoras(ys, x, now.a(), now.bs(), scaling)
                : BackwardOps.addLoraDifferences(
                        ys, x, now.a(), now.bs(), start.a(), start.bs(), scaling);
    }

    private List<NDArray> ofEach(List<NDArray> ofLayers) {
        return places.stream().map(place -> ofLayers.get(place.layer())).toList();
    }

    /** Gives the gradients of A and B, and adds that of the input to {@code dx} unless null. */
    void backward(List<NDArray> ofLayers, NDArray x, NDArray dx, GradientSink sink) {
        List<NDArray> dys = ofEach(ofLayers);
        if (ofB) {
            NDList gradients = BackwardOps.bGradients(dys, xa, now.bs());
            give(gradients, LowRankUpdate::getParameterB, sink);
        }
        boolean ofInput = dx != null && !zero;
        if (ofA || ofInput) {
            try (NDArray h = BackwardOps.scaledProducts(dys, now.bs(), scaling)) {
                if (ofA) {
                    give(aGradients(h, x), LowRankUpdate::getParameterA, sink);
                }
                if (ofInput) {
                    add(dx, h, now.a());
                }
            }
        }
        if (ofInput && start != null) {
            try (NDArray h = BackwardOps.scaledProducts(dys, start.bs(), -scaling)) {
                add(dx, h, start.a());
            }
        }
    }

    private NDList aGradients(NDArray h, NDArray x) {
        if (mask == null) {
            return BackwardOps.aGradients(h, x, now.bs());
        }
        try (NDArray dropped = BackwardOps.dropped(x, mask, dropout)) {
            return BackwardOps.aGradients(h, dropped, now.bs());
        }
    }

    private void give(
            NDList gradients, Function<LowRankUpdate, Parameter> factor, GradientSink sink) {
        for (int i = 0; i < places.size(); i++) {
            sink.add(factor.apply(places.get(i).update()), gradients.get(i));
        }
    }

    /** Adds h A to the gradient of the input, as far as that was not dropped. */
    private void add(NDArray dx, NDArray h, NDArray a) {
        if (mask == null) {
            BackwardOps.addProduct(dx, h, a);
        } else {
            BackwardOps.addDroppedProduct(dx, h, a, mask, dropout);
        }
    }
}
