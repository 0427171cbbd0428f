/** What models of different kinds are made of. */
package io.github.loradjl.zoo.block;
