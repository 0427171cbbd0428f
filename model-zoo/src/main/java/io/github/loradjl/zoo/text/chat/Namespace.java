package io.github.loradjl.zoo.text.chat;

import java.util.Map;

/** The only value that a template may change: variables that live beyond a loop. */
record Namespace(Map<String, Object> values) {}
