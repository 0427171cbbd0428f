package io.github.loradjl.init;

import ai.djl.ndarray.types.Shape;

import io.github.loradjl.linalg.SvdOptions;

import java.util.Locale;

/**
 * How A and B start; Kaiming-uniform A with B = 0 where nothing else is chosen, as in PEFT.
 *
 * <p>The starts differ in what the adapted model computes before its first step. Where one factor
 * is zero, so is the update. Where neither is, the product must be taken away again: the adapter
 * then computes y = W0 x + eta (B A - B0 A0) x with the starting pair kept beside the trained one,
 * and W0 is never rewritten. {@link #bothRandomUnsubtracted()} alone leaves the product in, which
 * changes the function.
 *
 * <p>Random numbers come from generators in Java, seeded per target: the order of targets does not
 * matter, and LibTorch's generator is left alone.
 *
 * @see <a href="https://arxiv.org/abs/2106.09685">LoRA</a>
 */
public interface LoraInit {

    /**
     * Computes the start of one target.
     *
     * @param context the target
     * @return A and B, float32, owned by {@code context.manager()}
     * @throws IllegalArgumentException if the target's shape does not allow this start
     * @throws IllegalStateException if {@link #needsGradient()} and the context has none
     */
    LoraStart start(InitContext context);

    /**
     * Returns the name: that of PEFT's {@code init_lora_weights} where PEFT has this start, else
     * our own.
     *
     * @return the name
     */
    String getName();

    /**
     * Tells whether the start is computed from the gradient of the target weight, which has to be
     * estimated before training.
     *
     * @return false unless overridden
     */
    default boolean needsGradient() {
        return false;
    }

    /**
     * Tells whether the product of the start is subtracted: y = W0 x + eta (B A - B0 A0) x.
     *
     * @return false unless overridden
     */
    default boolean subtractsProduct() {
        return false;
    }

    /**
     * Tells whether the model computes the same function before the first step as without the
     * adapter.
     *
     * @return true unless overridden
     */
    default boolean keepsFunction() {
        return true;
    }

    /**
     * Checks, before any array is made, that this start can serve a target.
     *
     * @param target the path of the target, for the message
     * @param weight the shape (m, n) of its weight
     * @param rank the rank r
     * @throws IllegalArgumentException if it cannot
     */
    default void check(String target, Shape weight, int rank) {}

    /**
     * Returns PEFT's default: A uniform in (-1/sqrt(n), 1/sqrt(n)), which is variance 1/(3n), and B
     * = 0.
     *
     * @return the start
     */
    static LoraInit kaimingUniform() {
        return new RandomInit("true", Draw.KAIMING_UNIFORM, Draw.ZERO, false);
    }

    /**
     * Returns A normal with variance 2/n and B = 0.
     *
     * @return the start
     * @see <a href="https://arxiv.org/abs/1502.01852">Delving Deep into Rectifiers</a>
     */
    static LoraInit kaimingNormal() {
        return new RandomInit("kaiming_normal", Draw.KAIMING_NORMAL, Draw.ZERO, false);
    }

    /**
     * Returns A normal with standard deviation 1/r, as PEFT's {@code gaussian}, and B = 0.
     *
     * @return the start
     */
    static LoraInit gaussian() {
        return new RandomInit("gaussian", Draw.GAUSSIAN, Draw.ZERO, false);
    }

    /**
     * Returns A normal with a given standard deviation and B = 0.
     *
     * @param sigma the standard deviation, above 0
     * @return the start
     * @throws IllegalArgumentException if {@code sigma} is not above 0: the start would be dead
     */
    static LoraInit gaussian(double sigma) {
        if (!(sigma > 0) || Double.isInfinite(sigma)) {
            throw new IllegalArgumentException(
                    "sigma is "
                            + sigma
                            + " and must be above 0"
                            + (sigma == 0 ? ": " + LoraStart.DEAD : ""));
        }
        return new RandomInit("gaussian_" + sigma, Draw.gaussian(sigma), Draw.ZERO, false);
    }

    /**
     * Returns A = 0 and B uniform in (-1/sqrt(r), 1/sqrt(r)), the rule of {@link #kaimingUniform()}
     * for B's own inputs.
     *
     * @return the start
     * @see <a href="https://arxiv.org/abs/2406.08447">The Impact of Initialization on LoRA
     *     Finetuning Dynamics</a>
     */
    static LoraInit randomB() {
        return new RandomInit("random_b", Draw.ZERO, Draw.KAIMING_UNIFORM, false);
    }

    /**
     * Returns A and B both uniform, as in {@link #kaimingUniform()} and {@link #randomB()}, with
     * the product subtracted.
     *
     * @return the start
     */
    static LoraInit bothRandom() {
        return new RandomInit("both_random", Draw.KAIMING_UNIFORM, Draw.KAIMING_UNIFORM, true);
    }

    /**
     * Returns A and B both uniform with the product left in, as PEFT's {@code false}: the adapted
     * model starts as another function than its base.
     *
     * @return the start
     */
    static LoraInit bothRandomUnsubtracted() {
        return new RandomInit("false", Draw.KAIMING_UNIFORM, Draw.KAIMING_UNIFORM, false);
    }

    /**
     * Returns A with random orthonormal rows and B with random orthonormal columns, with the
     * product subtracted. This is not PEFT's {@code orthogonal}, which halves the rank.
     *
     * @return the start; r must be at most min(m, n)
     */
    static LoraInit orthonormal() {
        return new OrthonormalInit();
    }

    /**
     * Returns PiSSA with the exact decomposition of W0: A = sqrt(S_r / eta) V_r<sup>T</sup>, B =
     * U_r sqrt(S_r / eta), so that eta B A is the best approximation of W0 of rank r; the product
     * is subtracted.
     *
     * @return the start; r must be at most min(m, n)
     * @see <a href="https://arxiv.org/abs/2404.02948">PiSSA</a>
     */
    static LoraInit pissa() {
        return new PissaInit("pissa", SvdOptions.builder().optExact(true).build());
    }

    /**
     * Returns PiSSA with a randomised decomposition of W0.
     *
     * @param iterations the power iterations, as in PEFT's {@code pissa_niter_4}
     * @return the start; r must be at most min(m, n)
     * @throws IllegalArgumentException if {@code iterations} is negative
     * @see #pissa()
     */
    static LoraInit pissa(int iterations) {
        return new PissaInit(
                "pissa_niter_" + iterations,
                SvdOptions.builder().optPowerIterations(iterations).build());
    }

    /**
     * Returns OLoRA: with W0 = Q R, B is the first r columns of Q and A the first r rows of R; the
     * product, eta times Q_r R_r, is subtracted.
     *
     * @return the start; r must be at most min(m, n)
     * @see <a href="https://arxiv.org/abs/2406.01775">OLoRA</a>
     */
    static LoraInit olora() {
        return new OloraInit();
    }

    /**
     * Returns LoRA-GA with its defaults: A from the first r right singular vectors of the gradient,
     * B from the next r left ones, scaled for stable outputs with gamma 16.
     *
     * @return the start; 2r must be at most min(m, n)
     * @see LoraGaInit
     */
    static LoraGaInit loraGa() {
        return LoraGaInit.builder().build();
    }

    /**
     * Returns the start of a given name, with its defaults.
     *
     * @param name a name as of {@link #getName()}, case and hyphens aside
     * @return the start
     * @throws IllegalArgumentException if there is none of that name
     */
    static LoraInit named(String name) {
        String key = name.trim().toLowerCase(Locale.ROOT).replace('-', '_');
        if (key.matches("pissa_niter_\\d{1,4}")) {
            return pissa(Integer.parseInt(key.substring("pissa_niter_".length())));
        }
        if (key.matches("gaussian_[0-9]+(\\.[0-9]+)?(e-?[0-9]+)?")) {
            return gaussian(Double.parseDouble(key.substring("gaussian_".length())));
        }
        return switch (key) {
            case "true", "kaiming_uniform" -> kaimingUniform();
            case "kaiming_normal" -> kaimingNormal();
            case "gaussian" -> gaussian();
            case "random_b" -> randomB();
            case "both_random" -> bothRandom();
            case "false" -> bothRandomUnsubtracted();
            case "orthonormal" -> orthonormal();
            case "pissa" -> pissa();
            case "olora" -> olora();
            case "lora_ga" -> loraGa();
            case "zeros" ->
                    throw new IllegalArgumentException(
                            "the start 'zeros' is refused: " + LoraStart.DEAD);
            default ->
                    throw new IllegalArgumentException(
                            "unknown start '"
                                    + name
                                    + "': use kaiming_uniform (or true), kaiming_normal, gaussian,"
                                    + " gaussian_0.02, random_b, both_random, false, orthonormal,"
                                    + " pissa, pissa_niter_4, olora or lora_ga");
        };
    }
}
