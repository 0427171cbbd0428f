package io.github.loradjl.zoo.text.chat;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** A list that Python writes in round brackets and never holds equal to one in square brackets. */
final class Tuple extends AbstractList<Object> {

    private final List<Object> items;

    Tuple(List<Object> items) {
        this.items = items;
    }

    static Tuple of(Object first, Object second) {
        return new Tuple(Arrays.asList(first, second));
    }

    /** {@inheritDoc} */
    @Override
    public Object get(int index) {
        return items.get(index);
    }

    /** {@inheritDoc} */
    @Override
    public int size() {
        return items.size();
    }

    /** {@inheritDoc} */
    @Override
    public boolean equals(Object other) {
        return other instanceof Tuple tuple && items.equals(tuple.items);
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return Objects.hash(items);
    }
}
