package io.github.loradjl.adapter;

import ai.djl.util.PairList;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.ListIterator;
import java.util.Map;

/**
 * Exchanges objects that other objects hold in their fields: all of them, or none.
 *
 * <p>DJL offers no way to exchange a child block or a parameter of a block. A block holds each of
 * them in a list or map of its superclass and usually once more in fields of its own, so every
 * place is written by reflection: plain fields, and lists, maps, arrays and {@link PairList}s in
 * fields, also nested. An unmodifiable list or map is exchanged as a whole. If one place cannot
 * take its new object, everything written before is undone.
 */
final class References {

    private static final ClassValue<List<Field>> FIELDS =
            new ClassValue<>() {
                @Override
                protected List<Field> computeValue(Class<?> type) {
                    return referenceFields(type);
                }
            };

    private final Map<?, ?> replacements;
    private final Deque<Runnable> undo = new ArrayDeque<>();

    private References(Map<?, ?> replacements) {
        this.replacements = replacements;
    }

    /**
     * Exchanges objects.
     *
     * @param owners the objects whose fields are searched
     * @param replacements new objects by old ones, compared by identity
     * @return what undoes the exchange
     * @throws IllegalArgumentException if a place cannot hold its new object; nothing has changed
     */
    static Runnable exchange(Collection<?> owners, Map<?, ?> replacements) {
        References exchange = new References(replacements);
        try {
            owners.forEach(exchange::visit);
        } catch (RuntimeException e) {
            exchange.rollBack();
            throw e;
        }
        return exchange::rollBack;
    }

    private void rollBack() {
        while (!undo.isEmpty()) {
            undo.pop().run();
        }
    }

    private void visit(Object owner) {
        for (Field field : FIELDS.get(owner.getClass())) {
            Object before = get(field, owner);
            Object after = exchanged(before);
            if (after != before) {
                if (!field.getType().isInstance(after)) {
                    throw unfit(name(field), field.getType(), after);
                }
                set(field, owner, after);
                undo.push(() -> set(field, owner, before));
            }
        }
    }

    /** Returns what should stand in the place of a value, after exchanging what is inside it. */
    private Object exchanged(Object value) {
        if (value == null) {
            return null;
        }
        Object replacement = replacements.get(value);
        if (replacement != null) {
            return replacement;
        }
        if (value instanceof List<?> list) {
            return exchangedList(list);
        }
        if (value instanceof Map<?, ?> map) {
            return exchangedMap(map);
        }
        if (value instanceof PairList<?, ?> pairs) {
            exchangedList(pairs.values());
        } else if (value instanceof Object[] array) {
            exchangeIn(array);
        }
        return value;
    }

    @SuppressWarnings("unchecked")
    private Object exchangedList(List<?> list) {
        List<Object> target = (List<Object>) list;
        ListIterator<Object> it = target.listIterator();
        while (it.hasNext()) {
            int index = it.nextIndex();
            Object before = it.next();
            Object after = exchanged(before);
            if (after == before) {
                continue;
            }
            try {
                it.set(after);
            } catch (UnsupportedOperationException e) {
                List<Object> copy = new ArrayList<>(target);
                copy.replaceAll(this::exchanged);
                return copy;
            }
            undo.push(() -> target.set(index, before));
        }
        return list;
    }

    @SuppressWarnings("unchecked")
    private Object exchangedMap(Map<?, ?> map) {
        Map<Object, Object> target = (Map<Object, Object>) map;
        for (Object key : new ArrayList<>(target.keySet())) {
            Object before = target.get(key);
            Object after = exchanged(before);
            if (after == before) {
                continue;
            }
            try {
                target.replace(key, after);
            } catch (UnsupportedOperationException e) {
                Map<Object, Object> copy = new LinkedHashMap<>(target);
                copy.replaceAll((k, v) -> exchanged(v));
                return copy;
            }
            undo.push(() -> target.replace(key, before));
        }
        return map;
    }

    private void exchangeIn(Object[] array) {
        Class<?> type = array.getClass().getComponentType();
        for (int i = 0; i < array.length; i++) {
            int index = i;
            Object before = array[i];
            Object after = exchanged(before);
            if (after != before) {
                if (!type.isInstance(after)) {
                    throw unfit("an array", type, after);
                }
                Array.set(array, i, after);
                undo.push(() -> Array.set(array, index, before));
            }
        }
    }

    private static IllegalArgumentException unfit(String place, Class<?> type, Object value) {
        return new IllegalArgumentException(
                place
                        + " of type "
                        + type.getSimpleName()
                        + " cannot hold a "
                        + value.getClass().getSimpleName());
    }

    private static List<Field> referenceFields(Class<?> type) {
        List<Field> fields = new ArrayList<>();
        for (Class<?> c = type; c != null && c != Object.class; c = c.getSuperclass()) {
            for (Field field : c.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers()) && !field.getType().isPrimitive()) {
                    try {
                        field.setAccessible(true);
                    } catch (InaccessibleObjectException e) {
                        throw new IllegalArgumentException(
                                name(field) + " is closed to reflection: open its module", e);
                    }
                    fields.add(field);
                }
            }
        }
        return List.copyOf(fields);
    }

    private static String name(Field field) {
        return "field " + field.getDeclaringClass().getSimpleName() + "." + field.getName();
    }

    /** Returns an accessible field of DJL. */
    static Field field(Class<?> owner, String name) {
        try {
            Field field = owner.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (NoSuchFieldException e) {
            throw new IllegalStateException(
                    owner.getName() + "." + name + " is missing: this DJL is not supported", e);
        }
    }

    static Object get(Field field, Object owner) {
        try {
            return field.get(owner);
        } catch (IllegalAccessException e) {
            throw new IllegalArgumentException(name(field) + " cannot be read", e);
        }
    }

    static void set(Field field, Object owner, Object value) {
        try {
            field.set(owner, value);
        } catch (IllegalAccessException e) {
            throw new IllegalArgumentException(name(field) + " cannot be written", e);
        }
    }
}
