package io.github.loradjl.zoo.block;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;

import io.github.loradjl.torch.GradientMode;
import io.github.loradjl.torch.TorchOps;

/**
 * The loss of a head whose weight W is not trained.
 *
 * <p>With tens of thousands of tokens the logits are by far the largest arrays of a training step,
 * and a recorded cross-entropy keeps them and their normalised copy until the backward pass. But
 * the gradient by the hidden states h, (softmax(h W<sup>T</sup>) - onehot) W / k for k rows, is
 * known as soon as the loss is. So both are computed here a few rows at a time, nothing is
 * recorded, and of the logits nothing stays.
 */
final class HeadLoss {

    /**
     * The number of logits computed at once, 28 MiB in float32: unless it is told otherwise, the C
     * library takes larger arrays from the system each time, page by page.
     */
    private static final long LOGITS = 7 << 20;

    private HeadLoss() {}

    /**
     * Computes the mean cross-entropy.
     *
     * @param hidden normalised hidden states, of shape (k, hidden size)
     * @param weight the weight of the head, of shape (vocabulary, hidden size)
     * @param targets an INT64 array of shape (k)
     * @return a float32 scalar that is differentiated by the hidden states; and the number of
     *     targets with the largest logit, a float32 scalar too
     */
    static NDList mean(NDArray hidden, NDArray weight, NDArray targets) {
        return mean(hidden, weight, targets, Math.max(1, LOGITS / weight.getShape().get(0)));
    }

    static NDList mean(NDArray hidden, NDArray weight, NDArray targets, long rows) {
        boolean differentiated = GradientMode.isOn() && TorchOps.requiresGradient(hidden);
        long count = hidden.getShape().get(0);
        NDList gradients = new NDList();
        NDArray mean;
        NDArray correct = hidden.getManager().create(0f);
        try (GradientMode mode = GradientMode.off();
                NDArray sum = hidden.getManager().create(0f)) {
            for (long from = 0; from < count; from += rows) {
                NDIndex part = new NDIndex("{}:{}", from, Math.min(count, from + rows));
                try (NDArray x = hidden.get(part);
                        NDArray labels = targets.get(part);
                        NDArray loss =
                                part(x, weight, labels, differentiated, gradients, correct)) {
                    sum.addi(loss);
                }
            }
            mean = sum.div(count);
        }
        if (!differentiated) {
            return new NDList(mean, correct);
        }
        try (mean;
                gradients;
                NDArray total = NDArrays.concat(gradients);
                NDArray gradient = total.mul(1f / count)) {
            return new NDList(TorchOps.withGradient(hidden, mean, gradient), correct);
        }
    }

    private static NDArray part(
            NDArray x,
            NDArray weight,
            NDArray labels,
            boolean differentiated,
            NDList gradients,
            NDArray correct) {
        try (NDArray logits = TorchOps.linear(x, weight);
                NDArray right = TorchOps.countLargest(logits, labels)) {
            correct.addi(right);
            if (!differentiated) {
                return TorchOps.crossEntropySum(logits, labels);
            }
            NDList result = TorchOps.crossEntropyGradient(logits, labels);
            try (NDArray gradient = result.get(1)) {
                gradients.add(gradient.matMul(weight));
            }
            return result.get(0);
        }
    }
}
