package io.github.loradjl.peft;

import ai.djl.nn.Parameter;

import io.github.loradjl.adapter.PrivateCopies;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Names of the tensors in an adapter file: {@code base_model.model.}, the path of the module, and
 * what it is.
 */
final class TensorNames {

    static final String PREFIX = "base_model.model.";
    static final String A = ".lora_A.weight";
    static final String B = ".lora_B.weight";

    private TensorNames() {}

    static String a(String path) {
        return PREFIX + path + A;
    }

    static String b(String path) {
        return PREFIX + path + B;
    }

    /**
     * Names the parameters that an adapter trains whole.
     *
     * @param copies the parameters
     * @param targets paths of the adapted layers, whose own parameters lie one level deeper in PEFT
     * @return dotted paths by tensor name
     */
    static Map<String, String> ofCopies(PrivateCopies copies, Set<String> targets) {
        Map<String, String> result = new LinkedHashMap<>();
        copies.getParameters()
                .forEach(
                        (path, parameter) -> {
                            int dot = path.lastIndexOf('.');
                            String module = path.substring(0, Math.max(dot, 0));
                            String name = torchName(path.substring(dot + 1), parameter);
                            String inner = targets.contains(module) ? ".base_layer." : ".";
                            result.put(
                                    PREFIX + (module.isEmpty() ? name : module + inner + name),
                                    path);
                        });
        return result;
    }

    /** DJL's own blocks call some parameters otherwise than torch. */
    private static String torchName(String name, Parameter parameter) {
        return switch (parameter.getType()) {
            case GAMMA -> "weight";
            case BETA -> "bias";
            case RUNNING_MEAN -> "running_mean";
            case RUNNING_VAR -> "running_var";
            default -> "embedding".equals(name) ? "weight" : name;
        };
    }
}
