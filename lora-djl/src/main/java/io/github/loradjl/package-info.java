/**
 * LoRA and LoRA-GA for DJL models: {@link io.github.loradjl.LoraModel} attaches adapters to a model
 * and {@link io.github.loradjl.LoraConfig} says which.
 */
package io.github.loradjl;
