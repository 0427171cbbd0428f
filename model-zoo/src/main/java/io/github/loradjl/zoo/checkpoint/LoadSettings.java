package io.github.loradjl.zoo.checkpoint;

import ai.djl.Device;
import ai.djl.ndarray.types.DataType;

import java.util.Locale;
import java.util.Map;

/** How a model is to be loaded, as the arguments and options of a criteria say. */
record LoadSettings(Map<String, ?> values) {

    private static final String DEVICE = "device";

    /** Returns the type to compute in, float32 unless given. */
    DataType dataType() {
        Object name = values.get("dtype");
        if (name == null) {
            return DataType.FLOAT32;
        }
        switch (name.toString().toLowerCase(Locale.ROOT)) {
            case "float32":
                return DataType.FLOAT32;
            case "bfloat16":
                return DataType.BFLOAT16;
            default:
                throw new IllegalArgumentException(
                        "dtype is float32 or bfloat16, not \"" + name + "\"");
        }
    }

    /** Returns the device, or null where none is named. */
    Device device() {
        Object named = values.get(DEVICE);
        return named == null || named instanceof Device
                ? (Device) named
                : Device.fromName(named.toString());
    }

    /** Tells whether the weights shall be copies that can be trained themselves. */
    boolean isTrainable() {
        return flag("trainParam");
    }

    /** Tells whether an adapter is taken that was trained on another base. */
    boolean isForced() {
        return flag("forceAdapter");
    }

    private boolean flag(String key) {
        return Boolean.parseBoolean(String.valueOf(values.get(key)));
    }
}
