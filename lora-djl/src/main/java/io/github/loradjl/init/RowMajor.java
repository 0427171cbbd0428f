package io.github.loradjl.init;

import ai.djl.ndarray.NDArray;

/** LAPACK leaves column-major matrices; parameters are stored, saved and updated row by row. */
final class RowMajor {

    private RowMajor() {}

    static NDArray of(NDArray matrix) {
        return matrix.reshape(-1).reshape(matrix.getShape());
    }
}
