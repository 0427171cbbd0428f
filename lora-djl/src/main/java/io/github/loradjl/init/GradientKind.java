package io.github.loradjl.init;

/** Which step of full fine-tuning the first step of a LoRA-GA adapter should follow, and how. */
public enum GradientKind {

    /** That of SGD, the gradient G: A and B are singular vectors of G, the paper's choice. */
    SGD,

    /**
     * That of Adam, the signs of the entries of G: A and B are singular vectors of sign(G).
     *
     * <p>The adapter's own first Adam step takes signs as well, so it follows sign(G) less closely
     * than singular vectors could.
     */
    SIGN,

    /**
     * That of Adam: A and B are fitted so that the adapter's first Adam step, which takes the signs
     * of its own gradients, comes closest to sign(G). They are found numerically, target by target,
     * and come with their size: of the {@link Scale}s only {@link Scale#zeta} applies.
     */
    ADAM
}
