/**
 * The Hugging Face hub: models and adapters by name, into the cache that Python's huggingface_hub
 * keeps.
 *
 * <p>{@code hf://owner/name} works wherever DJL takes the URL of a model, {@link
 * io.github.loradjl.zoo.hub.HubClient} fetches the same folder for other uses. Only safetensors,
 * JSON and text are taken.
 */
package io.github.loradjl.zoo.hub;
