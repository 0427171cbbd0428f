package io.github.loradjl.zoo.gradient;

import ai.djl.ndarray.NDArray;

import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.Subspaces;

/** How much of a gradient the first step of a LoRA-GA adapter follows. */
public final class FirstStep {

    private FirstStep() {}

    /**
     * Returns the cosine between the gradient, known by all its triplets, and the first step G A^T
     * A + B B^T G from the actual vectors, as a share of the best of rank 2r.
     */
    public static double share(SingularFactors g, SingularFactors actual, int rank) {
        NDArray matrix = g.u().mul(g.s()).matMul(g.vt());
        NDArray a = actual.vt().get(":" + rank);
        NDArray b = actual.u().get(":, " + rank + ":" + 2 * rank);
        NDArray step =
                matrix.matMul(a.transpose()).matMul(a).add(b.matMul(b.transpose().matMul(matrix)));
        NDArray left = g.u().get(":, :" + 2 * rank);
        NDArray right = g.vt().get(":" + 2 * rank);
        NDArray best = left.mul(g.s().get(":" + 2 * rank)).matMul(right);
        return Subspaces.cosine(step, matrix) / Subspaces.cosine(best, matrix);
    }
}
