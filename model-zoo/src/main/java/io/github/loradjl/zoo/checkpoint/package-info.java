/** Hugging Face folders as DJL models, and models as Hugging Face folders. */
package io.github.loradjl.zoo.checkpoint;
