package io.github.loradjl.init;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;

/** The principal singular triplets of W0, its singular values shared evenly between A and B. */
record PissaInit(String name, SvdOptions options) implements LoraInit {

    /** {@inheritDoc} */
    @Override
    public LoraStart start(InitContext context) {
        int r = context.rank();
        check(context.target(), context.weight().getShape(), r);
        try (NDManager scope = context.manager().newSubManager()) {
            SingularFactors factors =
                    TruncatedSvd.compute(
                            context.weight(), r, options.withSeed(context.seed()), scope);
            NDArray root = factors.s().div((float) context.scaling()).sqrt();
            return new LoraStart(factors.vt().mul(root.reshape(r, 1)), factors.u().mul(root))
                    .attach(context.manager());
        }
    }

    /** {@inheritDoc} */
    @Override
    public void check(String target, Shape weight, int rank) {
        Ranks.require(target, weight, rank, 1, name);
    }

    /** {@inheritDoc} */
    @Override
    public boolean subtractsProduct() {
        return true;
    }

    /** {@inheritDoc} */
    @Override
    public String getName() {
        return name;
    }
}
