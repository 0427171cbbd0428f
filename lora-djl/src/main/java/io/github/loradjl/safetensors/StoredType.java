package io.github.loradjl.safetensors;

import ai.djl.ndarray.types.DataType;

/** The element types of the format, with those that can become an array. */
enum StoredType {
    F64(64, DataType.FLOAT64),
    F32(32, DataType.FLOAT32),
    F16(16, DataType.FLOAT16),
    // DJL must never be given its own BFLOAT16; the bytes become an array in TorchOps.
    BF16(16, DataType.UINT8),
    I64(64, DataType.INT64),
    I32(32, DataType.INT32),
    I8(8, DataType.INT8),
    U8(8, DataType.UINT8),
    BOOL(8, DataType.BOOLEAN),
    I16(16, null),
    U16(16, null),
    U32(32, null),
    U64(64, null),
    C64(64, null),
    F8_E4M3(8, null),
    F8_E5M2(8, null),
    F8_E8M0(8, null),
    F6_E2M3(6, null),
    F6_E3M2(6, null),
    F4(4, null);

    private final int bits;
    private final DataType dataType;

    StoredType(int bits, DataType dataType) {
        this.bits = bits;
        this.dataType = dataType;
    }

    int bits() {
        return bits;
    }

    int bytes() {
        return bits / 8;
    }

    /** Returns DJL's type for the stored elements or, for BF16, bytes; null if there is none. */
    DataType dataType() {
        return dataType;
    }

    boolean isNarrowFloat() {
        return this == F16 || this == BF16;
    }

    /** Returns the type of a name, or null. */
    static StoredType of(String name) {
        for (StoredType type : values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        return null;
    }
}
