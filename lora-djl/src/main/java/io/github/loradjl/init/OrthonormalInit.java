package io.github.loradjl.init;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.RandomMatrix;
import io.github.loradjl.linalg.TruncatedSvd;

import java.util.SplittableRandom;

/** Random orthonormal rows of A and columns of B, by QR of normal matrices. */
record OrthonormalInit() implements LoraInit {

    /** {@inheritDoc} */
    @Override
    public LoraStart start(InitContext context) {
        check(context.target(), context.weight().getShape(), context.rank());
        SplittableRandom random = new SplittableRandom(context.seed());
        try (NDManager scope = context.manager().newSubManager()) {
            NDArray a = columns(scope, context.inputs(), context.rank(), random).transpose();
            NDArray b = columns(scope, context.outputs(), context.rank(), random);
            return new LoraStart(RowMajor.of(a), RowMajor.of(b)).attach(context.manager());
        }
    }

    private static NDArray columns(NDManager scope, long rows, int rank, SplittableRandom random) {
        return TruncatedSvd.orthonormalise(
                RandomMatrix.normal(scope, rows, rank, 1, random), scope);
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
        return "orthonormal";
    }
}
