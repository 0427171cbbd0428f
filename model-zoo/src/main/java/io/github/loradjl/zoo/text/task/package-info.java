/** Classification as text: tables of texts and labels as prompts and answers, GLUE's among them. */
package io.github.loradjl.zoo.text.task;
