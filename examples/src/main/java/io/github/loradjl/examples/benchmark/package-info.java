/** Measurements of memory that need a process of their own; see {@code examples/benchmarks}. */
package io.github.loradjl.examples.benchmark;
