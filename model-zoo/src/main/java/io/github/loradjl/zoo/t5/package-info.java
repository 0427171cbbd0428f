/** T5 models. */
package io.github.loradjl.zoo.t5;
