/** LLaMA, and the Mistral and Qwen2 models that have the same shape, as DJL blocks. */
package io.github.loradjl.zoo.llama;
