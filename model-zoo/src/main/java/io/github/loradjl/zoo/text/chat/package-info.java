/**
 * Chat templates: a conversation as the text that a model was trained on, with its answers marked.
 */
package io.github.loradjl.zoo.text.chat;
