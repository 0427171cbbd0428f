/** Publishing adapters: versions in a repository, jars for Maven, and model cards. */
package io.github.loradjl.zoo.publish;
