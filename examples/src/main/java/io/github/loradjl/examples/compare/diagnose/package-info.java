/** Looks at why methods of a comparison differ: spectra, alignment of steps, moments. */
package io.github.loradjl.examples.compare.diagnose;
