package io.github.loradjl.init;

import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.linalg.TruncatedSvd;

/** The scales that {@link Scale} offers, as records, so that they compare and print. */
final class Scales {

    private Scales() {}

    record Stable(double gamma) implements Scale {

        Stable {
            requirePositive("gamma", gamma);
        }

        /** {@inheritDoc} */
        @Override
        public double factor(InitContext context) {
            return Math.sqrt(Math.sqrt(context.outputs()) / gamma);
        }
    }

    record Zeta(double zeta) implements Scale {

        Zeta {
            requirePositive("zeta", zeta);
        }

        /** {@inheritDoc} */
        @Override
        public double factor(InitContext context) {
            return Math.sqrt(zeta) / context.scaling();
        }
    }

    record ZetaForward(double kappa) implements Scale {

        ZetaForward {
            requirePositive("kappa", kappa);
        }

        /** {@inheritDoc} */
        @Override
        public double factor(InitContext context) {
            double ratio = Math.sqrt((double) context.outputs() / context.rank());
            return Math.sqrt(kappa * ratio / context.scaling());
        }
    }

    record ZetaBackward(double kappa) implements Scale {

        ZetaBackward {
            requirePositive("kappa", kappa);
        }

        /** {@inheritDoc} */
        @Override
        public double factor(InitContext context) {
            double ratio = Math.sqrt((double) context.inputs() / context.rank());
            return Math.sqrt(kappa * ratio / context.scaling());
        }
    }

    record Gd() implements Scale {

        /** {@inheritDoc} */
        @Override
        public double factor(InitContext context) {
            return 1 / context.scaling();
        }
    }

    record Unit() implements Scale {

        /** {@inheritDoc} */
        @Override
        public double factor(InitContext context) {
            return 1;
        }
    }

    record Weight(SvdOptions options) implements Scale {

        /** {@inheritDoc} */
        @Override
        public double factor(InitContext context) {
            SvdOptions seeded = options.withSeed(context.seed());
            try (SingularFactors factors =
                    TruncatedSvd.compute(
                            context.weight(), context.rank(), seeded, context.manager())) {
                double sum = 0;
                for (float sigma : factors.s().toFloatArray()) {
                    sum += Math.sqrt(sigma / context.scaling());
                }
                return sum / context.rank();
            }
        }
    }

    private static void requirePositive(String name, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(name + " is " + value + " and must be above 0");
        }
    }
}
