/** Training pieces for adapters: optimizers, gradient clipping and what runs around them. */
package io.github.loradjl.training;
