/** What the zoo has to offer by itself: a small model that ships with it. */
package io.github.loradjl.zoo;
