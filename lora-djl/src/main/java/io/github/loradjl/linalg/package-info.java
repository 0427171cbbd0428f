/** Truncated singular value decomposition and comparison of subspaces. */
package io.github.loradjl.linalg;
