/** Small pieces that the modules of this project share; not for users. */
package io.github.loradjl.internal;
