/** What this machine and its settings offer the command line, and what is wrong with them. */
package io.github.loradjl.examples.doctor;
