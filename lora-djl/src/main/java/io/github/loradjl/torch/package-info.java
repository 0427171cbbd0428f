/** Tensor operations of LibTorch that DJL does not expose. */
package io.github.loradjl.torch;
