/** Adapters: blocks that add a trainable low-rank update to a frozen layer, in any block tree. */
package io.github.loradjl.adapter;
