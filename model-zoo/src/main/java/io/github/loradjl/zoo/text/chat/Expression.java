package io.github.loradjl.zoo.text.chat;

/** A part of a template that has a value. */
@FunctionalInterface
interface Expression {

    Object evaluate(Scope scope);
}
