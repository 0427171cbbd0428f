/** The model zoo: small models that ship, well-known checkpoints, and published adapters. */
package io.github.loradjl.zoo;
