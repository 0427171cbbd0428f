package io.github.loradjl.zoo.hostile;

import java.util.Random;

/** One way to damage a file. */
@FunctionalInterface
interface Damage {

    byte[] apply(byte[] file, Random random) throws Exception;
}
