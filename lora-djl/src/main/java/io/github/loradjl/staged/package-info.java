/** Blocks that are a chain of stages, run forward and backward one stage at a time. */
package io.github.loradjl.staged;
