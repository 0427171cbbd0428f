/** Leading singular vectors of the gradients of target weights, by several strategies. */
package io.github.loradjl.gradient;
