package io.github.loradjl.adapter;

import ai.djl.ndarray.NDArray;
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
 * input of its own and is therefore alone.
 *
 * <p>Of each token it keeps the ranks' numbers and, with dropout, a mask; the input comes from the
 * caller.
 */
final class RecordedUpdates {

    private final List<Place> places;
    private final double scaling;
    private final double dropout;
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
            return alone ? this : List.of(update.getA0() != null, update.getScaling());
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
                a = BackwardOps.stacked(each);
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
                xa = addTo(ofEach(ys), dropped);
            }
        } else {
            mask = null;
            xa = addTo(ofEach(ys), x);
        }
        xa.attach(manager);
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
        NDArray dropped = mask == null ? x : BackwardOps.dropped(x, mask, dropout);
        NDList result = BackwardOps.lorasBackward(dys, dropped, xa, now.bs(), scaling);
        if (mask != null) {
            dropped.close();
        }
        for (int i = 0; i < places.size(); i++) {
            LowRankUpdate update = places.get(i).update();
            sink.add(update.getParameterA(), result.get(1 + 2 * i));
            sink.add(update.getParameterB(), result.get(2 + 2 * i));
        }
        try (NDArray h = result.get(0)) {
            if (dx == null) {
                return;
            }
            add(dx, h, now.a());
        }
        if (start != null) {
            try (NDArray h = BackwardOps.scaledProducts(dys, start.bs(), -scaling)) {
                add(dx, h, start.a());
            }
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
