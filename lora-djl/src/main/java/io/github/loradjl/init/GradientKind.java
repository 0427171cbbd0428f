package io.github.loradjl.init;

/**
 * Which matrix LoRA-GA takes the singular vectors of: the one that the first step of the optimizer
 * should follow.
 */
public enum GradientKind {

    /** The gradient G, which the first step of SGD follows: the paper's choice. */
    SGD,

    /** The signs of the entries of G, which the first step of Adam follows. */
    SIGN
}
