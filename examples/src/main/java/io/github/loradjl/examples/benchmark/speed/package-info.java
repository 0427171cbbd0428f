/**
 * Speed and memory beside PEFT and transformers; see {@code examples/benchmarks/speed.md}.
 *
 * <p>{@link io.github.loradjl.examples.benchmark.speed.Speed} runs two workers, a process of ours
 * and one of Python, that load the same model, batches and adapter, and lets them work in turns;
 * {@link io.github.loradjl.examples.benchmark.speed.Growth} measures ours alone at several sizes.
 */
package io.github.loradjl.examples.benchmark.speed;
