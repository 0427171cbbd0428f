/** The {@code lora} command line. */
package io.github.loradjl.examples;
