/**
 * One configuration for all commands: every option is also a key of a YAML file and of {@code
 * key=value} arguments.
 */
package io.github.loradjl.examples.config;
