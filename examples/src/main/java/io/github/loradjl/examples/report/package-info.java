/** What a training run leaves for people: progress, metrics and a picture of the loss. */
package io.github.loradjl.examples.report;
