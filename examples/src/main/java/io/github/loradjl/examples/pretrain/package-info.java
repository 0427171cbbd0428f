/**
 * How the small model that ships was made: texts from a grammar, a tokenizer trained on them, and
 * pretraining from random weights.
 */
package io.github.loradjl.examples.pretrain;
