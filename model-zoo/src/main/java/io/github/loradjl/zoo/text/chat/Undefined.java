package io.github.loradjl.zoo.text.chat;

/**
 * What a template finds where nobody gave a value: false, empty and without text, but an error as
 * soon as something inside it is asked for. None, which somebody did give, is null.
 *
 * @param name what was looked for
 */
record Undefined(String name) {

    TemplateException error() {
        return new TemplateException("'" + name + "' is undefined");
    }
}
