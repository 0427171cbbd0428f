/** How the two factors of a low-rank update start. */
package io.github.loradjl.init;
