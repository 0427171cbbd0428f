/** Text from language models, token by token. */
package io.github.loradjl.zoo.text.generate;
