package io.github.loradjl.safetensors;

import ai.djl.ndarray.types.Shape;

/**
 * What a file says about one tensor.
 *
 * @param name the tensor's name
 * @param dtype the format's name of the element type, such as {@code F32} or {@code BF16}
 * @param shape the shape
 * @param position the first byte, counted from the start of the file
 * @param length the number of bytes
 */
public record TensorInfo(String name, String dtype, Shape shape, long position, long length) {}
