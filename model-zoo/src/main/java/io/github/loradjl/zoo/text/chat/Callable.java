package io.github.loradjl.zoo.text.chat;

/** Something that a template can call: a method bound to its value, a macro, a function. */
@FunctionalInterface
interface Callable {

    Object call(Arguments arguments);
}
