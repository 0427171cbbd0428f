/** The subcommands of {@code lora}, one class each, and what they share. */
package io.github.loradjl.examples.command;
