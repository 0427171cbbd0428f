/**
 * Safetensors files: read through a memory map after every size and offset was checked, one tensor
 * at a time, from one file or from shards with an index; written beside their place and moved.
 */
package io.github.loradjl.safetensors;
