package io.github.loradjl.examples.command;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

import java.util.List;

/**
 * One of several things, named as it is written, with either line between the words.
 *
 * @param <T> what is chosen from
 */
class Choice<T> implements ITypeConverter<T> {

    private final List<T> values;

    Choice(List<T> values) {
        this.values = values;
    }

    /** {@inheritDoc} */
    @Override
    public T convert(String text) {
        for (T value : values) {
            if (value.toString().equalsIgnoreCase(text.replace('_', '-'))) {
                return value;
            }
        }
        throw new TypeConversionException("'" + text + "' is none of " + values);
    }
}
