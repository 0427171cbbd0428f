package io.github.loradjl.zoo.hostile;

/** What a hostile artifact names; nobody must load it. */
final class EvilFactory {

    static final String TRACE = "lora.djl.evil";

    static {
        System.setProperty(TRACE, "loaded");
    }

    private EvilFactory() {}
}
