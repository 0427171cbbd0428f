package io.github.loradjl.init;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

/** The first columns of Q and the first rows of R, where W0 = Q R. */
record OloraInit() implements LoraInit {

    /** {@inheritDoc} */
    @Override
    public LoraStart start(InitContext context) {
        int r = context.rank();
        check(context.target(), context.weight().getShape(), r);
        try (GradientMode mode = GradientMode.off();
                NDManager scope = context.manager().newSubManager()) {
            NDArray weight = TorchOps.toFloat32(context.weight());
            weight.attach(scope);
            NDList qr = TorchOps.qr(weight);
            // Copies: a slice would keep the whole of Q and R alive.
            NDArray b = qr.get(0).get(new NDIndex(":, :{}", r)).duplicate();
            NDArray a = qr.get(1).get(new NDIndex(":{}", r)).duplicate();
            return new LoraStart(RowMajor.of(a), RowMajor.of(b)).attach(context.manager());
        }
    }

    /** {@inheritDoc} */
    @Override
    public void check(String target, Shape weight, int rank) {
        Ranks.require(target, weight, rank, 1, getName());
    }

    /** {@inheritDoc} */
    @Override
    public boolean subtractsProduct() {
        return true;
    }

    /** {@inheritDoc} */
    @Override
    public String getName() {
        return "olora";
    }
}
