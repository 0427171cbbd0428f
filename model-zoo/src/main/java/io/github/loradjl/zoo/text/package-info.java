/** Text for language models: tokenizers, data sets and the loss they are trained with. */
package io.github.loradjl.zoo.text;
