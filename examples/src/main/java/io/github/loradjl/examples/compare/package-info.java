/** Comparison of fine-tuning methods under equal conditions: runs, tables, plots, diagnostics. */
package io.github.loradjl.examples.compare;
