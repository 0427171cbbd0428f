package io.github.loradjl.examples.pretrain;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Parameter;
import ai.djl.training.tracker.ParameterTracker;

import io.github.loradjl.torch.TorchOps;

import java.util.Collection;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Learning rates relative to the size of what is learnt: rate times the root mean square of the
 * parameter, as T5 was trained. Its token vectors start a hundred times as large as its queries, so
 * no single rate suits both.
 *
 * @see <a href="https://arxiv.org/abs/1804.04235">Adafactor, section 8</a>
 */
final class RelativeRates implements ParameterTracker {

    /** What counts as the size of a parameter that is smaller. */
    private static final double SMALLEST = 1e-3;

    private final ParameterTracker rate;
    private final Map<String, Parameter> parameters;

    /**
     * Creates the rates.
     *
     * @param rate the rate of a parameter of size one
     * @param parameters the parameters
     */
    RelativeRates(ParameterTracker rate, Collection<Parameter> parameters) {
        this.rate = rate;
        this.parameters =
                parameters.stream()
                        .collect(Collectors.toMap(Parameter::getId, Function.identity()));
    }

    /** {@inheritDoc} */
    @Override
    public float getNewValue(String parameterId, int numUpdate) {
        NDArray array = parameters.get(parameterId).getArray();
        double size = Math.sqrt(TorchOps.squareSum(array) / array.size());
        return (float) (rate.getNewValue(parameterId, numUpdate) * Math.max(SMALLEST, size));
    }
}
