/** How good a language model is: exact match, labels, loss and perplexity. */
package io.github.loradjl.zoo.text.evaluate;
