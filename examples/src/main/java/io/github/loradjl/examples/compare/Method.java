package io.github.loradjl.examples.compare;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.init.LoraInit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A way to fine-tune, written as a name with options of it behind colons: {@code lora-ga}, {@code
 * lora-ga:gamma=4096}, {@code lora:rank=16:rates=1e-3+2e-3}.
 *
 * @param text the method as it was written
 * @param kind what is trained, and how it starts
 * @param options what is said of it beside its name
 */
public record Method(String text, Kind kind, Map<String, String> options) {

    /** The share of the training rows to learn from. */
    static final String DATA = "data";

    /** Learning rates in place of those of the comparison, with plus signs between. */
    static final String RATES = "rates";

    /** Seeds in place of those of the comparison, with plus signs between. */
    static final String SEEDS = "seeds";

    private static final Set<String> OF_ALL = Set.of(DATA, RATES, SEEDS);
    private static final Set<String> OF_ADAPTERS = Set.of("rank", "alpha", "rs");

    /** What is trained, and how it starts. */
    public enum Kind {
        /** All parameters of the model itself. */
        FULL("full"),
        /** LoRA as PEFT starts it, or by {@code init}. */
        LORA("lora", "init"),
        /** LoRA scaled by alpha / sqrt(r). */
        RSLORA("rslora", "init"),
        /** LoRA with a higher rate for B. */
        LORA_PLUS("lora+", "init", "ratio"),
        /** Singular vectors of the weight. */
        PISSA("pissa"),
        /** QR decomposition of the weight. */
        OLORA("olora"),
        /** Orthonormal factors. */
        ORTHOGONAL("orthogonal"),
        /** Singular vectors of the gradient. */
        LORA_GA("lora-ga", LoraGaOfMethod.KEYS.toArray(String[]::new));

        private final String label;
        private final Set<String> keys;

        Kind(String label, String... keys) {
            this.label = label;
            this.keys = Set.of(keys);
        }

        /** Returns the options that a method of this kind takes. */
        Set<String> keys() {
            Set<String> all = new TreeSet<>(keys);
            all.addAll(OF_ALL);
            if (this != FULL) {
                all.addAll(OF_ADAPTERS);
            }
            return all;
        }

        @Override
        public String toString() {
            return label;
        }
    }

    /**
     * Reads a method.
     *
     * @param text a name and options
     * @return the method
     * @throws IllegalArgumentException if the name, an option or a value is not known
     */
    public static Method parse(String text) {
        String[] parts = text.strip().split(":", -1);
        Kind kind =
                Arrays.stream(Kind.values())
                        .filter(k -> k.label.equals(parts[0]))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                "there is no method "
                                                        + shown(parts[0])
                                                        + ": use "
                                                        + names()));
        Map<String, String> options = new LinkedHashMap<>();
        for (String part : Arrays.asList(parts).subList(1, parts.length)) {
            int at = part.indexOf('=');
            if (at < 1 || !kind.keys().contains(part.substring(0, at))) {
                throw new IllegalArgumentException(
                        text
                                + ": "
                                + shown(part)
                                + " is not KEY=VALUE with one of the keys "
                                + kind.keys());
            }
            String key = part.substring(0, at);
            if (options.put(key, part.substring(at + 1)) != null) {
                throw new IllegalArgumentException(text + ": " + key + " is given twice");
            }
        }
        Method method = new Method(text.strip(), kind, options);
        method.check();
        return method;
    }

    private static String shown(String part) {
        return part.isEmpty() ? "\"\"" : part;
    }

    private static String names() {
        return Arrays.stream(Kind.values()).map(Kind::toString).collect(Collectors.joining(", "));
    }

    private void check() {
        if (!(share() > 0 && share() <= 1)) {
            throw new IllegalArgumentException(text + ": data is a share in (0, 1]");
        }
        requireDistinct(RATES, rates(List.of()).stream().map(Figures::rate).toList());
        requireDistinct(SEEDS, seeds(List.of()));
        ratio();
        ownCalibrationBatches();
        if (kind != Kind.FULL) {
            config(LoraConfig.builder().build(), 0);
        }
    }

    private void requireDistinct(String key, List<?> values) {
        Set<Object> seen = new HashSet<>();
        for (Object value : values) {
            if (!seen.add(value)) {
                throw new IllegalArgumentException(
                        text + ": " + value + " comes twice among its " + key);
            }
        }
    }

    /** Returns the method with the common value of an option. */
    Method without(String key) {
        Map<String, String> others = new LinkedHashMap<>(options);
        others.remove(key);
        return new Method(written(kind, others), kind, others);
    }

    /**
     * Returns the value of an option, its own or the common one.
     *
     * @param key the key of an option that is a number
     * @param common the common ones
     * @return the value; empty if the option means nothing to the method
     */
    OptionalDouble value(String key, Setup.Recipe common) {
        if (options.containsKey(key)) {
            return OptionalDouble.of(number(key, options.get(key)));
        }
        if (!kind.keys().contains(key)) {
            return OptionalDouble.empty();
        }
        return switch (key) {
            case "rank" -> OptionalDouble.of(common.adapter().getRank());
            case "alpha" -> OptionalDouble.of(common.adapter().getAlpha());
            case DATA -> OptionalDouble.of(1);
            case LoraGaOfMethod.BATCHES -> OptionalDouble.of(common.calibrationBatches());
            case LoraGaOfMethod.GAMMA -> LoraGaOfMethod.commonGamma(this);
            default -> OptionalDouble.empty();
        };
    }

    /** Returns the share of the training rows to learn from. */
    double share() {
        return number(DATA, 1);
    }

    /** Returns how much higher the rate of B is than that of A. */
    double ratio() {
        return kind == Kind.LORA_PLUS ? number("ratio", 16) : 1;
    }

    /** Returns the learning rates to try. */
    List<Double> rates(List<Double> common) {
        if (!options.containsKey(RATES)) {
            return common;
        }
        return Arrays.stream(options.get(RATES).split("\\+", -1))
                .map(rate -> number(RATES, rate))
                .toList();
    }

    /** Returns the seeds to begin from. */
    List<Integer> seeds(List<Integer> common) {
        if (!options.containsKey(SEEDS)) {
            return common;
        }
        List<Integer> own = new ArrayList<>();
        for (String seed : options.get(SEEDS).split("\\+", -1)) {
            int number = whole(seed);
            if (number < 0) {
                throw new IllegalArgumentException(
                        text
                                + ": seeds are whole numbers of at least 0 with plus signs"
                                + " between");
            }
            own.add(number);
        }
        return own;
    }

    /**
     * Returns the number of batches of LoRA-GA's gradient pass.
     *
     * @param common that of the comparison
     * @return the number
     */
    public int calibrationBatches(int common) {
        Integer own = ownCalibrationBatches();
        return own == null ? common : own;
    }

    /** Returns the number of batches of LoRA-GA's gradient pass that it names itself, or null. */
    Integer ownCalibrationBatches() {
        return options.containsKey(LoraGaOfMethod.BATCHES)
                ? count(LoraGaOfMethod.BATCHES, 0)
                : null;
    }

    /**
     * Makes the adapter's configuration from that of the comparison.
     *
     * @param common what all methods adapt, at which rank and alpha
     * @param seed the seed of the start's draws
     * @return the configuration
     */
    public LoraConfig config(LoraConfig common, long seed) {
        LoraInit init = init();
        boolean stabilized =
                options.containsKey("rs")
                        ? truth("rs")
                        : kind == Kind.RSLORA || kind == Kind.LORA_GA;
        return common.toBuilder()
                .optRank(count("rank", common.getRank()))
                .optAlpha(number("alpha", common.getAlpha()))
                .optRankStabilized(stabilized)
                .optInit(init)
                .optSeed(seed)
                .build();
    }

    private LoraInit init() {
        return switch (kind) {
            case FULL -> throw new IllegalStateException("full fine-tuning has no adapter");
            case LORA, RSLORA, LORA_PLUS -> LoraInit.named(isZero() ? "true" : initName());
            case PISSA -> LoraInit.pissa();
            case OLORA -> LoraInit.olora();
            case ORTHOGONAL -> LoraInit.orthonormal();
            case LORA_GA -> LoraGaOfMethod.init(this);
        };
    }

    private String initName() {
        return options.getOrDefault("init", "true");
    }

    /**
     * Tells whether both factors are to be zero. No start is, because nothing could be learnt from
     * there; a comparison shows it.
     */
    boolean isZero() {
        return initName().equals("zeros");
    }

    double number(String key, double defaultValue) {
        return options.containsKey(key) ? number(key, options.get(key)) : defaultValue;
    }

    private double number(String key, String value) {
        try {
            double number = Double.parseDouble(value);
            if (number > 0 && Double.isFinite(number)) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw new IllegalArgumentException(
                text + ": " + key + "=" + value + " is not a number above 0");
    }

    private int count(String key, int defaultValue) {
        int number = options.containsKey(key) ? whole(options.get(key)) : defaultValue;
        if (number < 1) {
            throw new IllegalArgumentException(
                    text + ": " + key + "=" + options.get(key) + " is not a whole number above 0");
        }
        return number;
    }

    /** Reads a whole number; what is none, or too large, comes out negative. */
    private static int whole(String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private boolean truth(String key) {
        String value = options.get(key);
        if (!value.equals("true") && !value.equals("false")) {
            throw new IllegalArgumentException(text + ": " + key + " is true or false");
        }
        return value.equals("true");
    }

    /**
     * Returns what tells the method from the others in tables and files: all but its rates and
     * seeds.
     *
     * @return the label
     */
    public String label() {
        Map<String, String> told = new LinkedHashMap<>(options);
        told.keySet().removeAll(Set.of(RATES, SEEDS));
        return written(kind, told);
    }

    private static String written(Kind kind, Map<String, String> options) {
        StringBuilder text = new StringBuilder(kind.toString());
        options.forEach((key, value) -> text.append(':').append(key).append('=').append(value));
        return text.toString();
    }

    /** Returns the method as it was written. */
    @Override
    public String toString() {
        return text;
    }
}
