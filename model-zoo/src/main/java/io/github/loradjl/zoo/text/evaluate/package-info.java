/** How good a language model is: exact match, label scoring, loss and perplexity. */
package io.github.loradjl.zoo.text.evaluate;
