package io.github.loradjl.init;

import java.util.SplittableRandom;

/** Starts that draw each factor on its own, without looking at the weight. */
record RandomInit(String name, Draw drawA, Draw drawB, boolean subtractsProduct)
        implements LoraInit {

    /** {@inheritDoc} */
    @Override
    public LoraStart start(InitContext context) {
        SplittableRandom random = new SplittableRandom(context.seed());
        int r = context.rank();
        return new LoraStart(
                drawA.draw(context.manager(), r, context.inputs(), r, random),
                drawB.draw(context.manager(), context.outputs(), r, r, random));
    }

    /** {@inheritDoc} */
    @Override
    public boolean keepsFunction() {
        return subtractsProduct || drawA == Draw.ZERO || drawB == Draw.ZERO;
    }

    /** {@inheritDoc} */
    @Override
    public String getName() {
        return name;
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return name;
    }
}
