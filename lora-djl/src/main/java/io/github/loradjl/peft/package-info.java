/**
 * Adapter folders in PEFT's format: {@code adapter_config.json} and {@code
 * adapter_model.safetensors}.
 *
 * <p>What is saved here loads in PEFT, and what PEFT saved loads here. An adapter whose start is
 * subtracted, as LoRA-GA's and PiSSA's, is saved as one that loads on the untouched base. A third
 * file, {@code lora_djl.json}, which others ignore, lets this library restore the exact state of
 * training and recognise the base.
 *
 * @see <a href="https://huggingface.co/docs/peft/developer_guides/checkpoint">PEFT's checkpoint
 *     format</a>
 */
package io.github.loradjl.peft;
