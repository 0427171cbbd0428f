package io.github.loradjl;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.init.GradientFactors;
import io.github.loradjl.init.InitContext;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.init.LoraStart;
import io.github.loradjl.linalg.RandomMatrix;

/** Makes the update of one layer that an adapter starts with. */
final class AdapterStart {

    private AdapterStart() {}

    /** Makes the update, from what is kept of the gradient where the start needs them. */
    static LowRankUpdate of(
            LoraLinear layer, LoraConfig config, GradientFactors gradient, NDManager manager) {
        LoraInit init = config.getInit();
        String path = layer.getPath();
        double scaling = config.scalingOf(path);
        InitContext context =
                new InitContext(
                        path,
                        layer.getWeight(),
                        config.rankOf(path),
                        scaling,
                        RandomMatrix.seedFor(config.getSeed(), path),
                        manager,
                        gradient);
        LoraStart start = init.start(context).checked(context);
        LowRankUpdate update =
                new LowRankUpdate(start.a(), start.b(), scaling, config.getDropout());
        if (init.subtractsProduct()) {
            update.subtractCurrent();
        }
        return update;
    }

    /** Makes the zero update that stands in until the gradient is known. */
    static LowRankUpdate pending(LoraLinear layer, LoraConfig config, NDManager manager) {
        int r = config.rankOf(layer.getPath());
        return new LowRankUpdate(
                manager.zeros(new Shape(r, layer.getIn())),
                manager.zeros(new Shape(layer.getOut(), r)),
                config.scalingOf(layer.getPath()),
                config.getDropout());
    }
}
