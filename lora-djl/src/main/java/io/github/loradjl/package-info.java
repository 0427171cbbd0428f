/**
 * LoRA and LoRA-GA for DJL models: {@link io.github.loradjl.LoraModel} attaches adapters to a
 * model, {@link io.github.loradjl.LoraConfig} says which, and {@link io.github.loradjl.LoraGa}
 * starts them from the gradient.
 */
package io.github.loradjl;
