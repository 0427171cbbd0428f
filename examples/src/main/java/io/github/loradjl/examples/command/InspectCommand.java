package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.adapter.LowRankUpdate;
import io.github.loradjl.examples.config.ConfigOptions;
import io.github.loradjl.examples.report.Counts;
import io.github.loradjl.peft.PeftAdapter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;

/** Lists what would be trained, or what an adapter holds. */
@Command(
        name = "inspect",
        header = "Lists what an adapter changes, or would.",
        description =
                "Lists the layers that an adapter changes, with their shapes and trainable"
                        + " parameters: those of --adapter, or those that finetune would choose.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExample:%n",
        footer = {
            "  examples/lora inspect --model DIR --rank 16 --target-modules q_proj,v_proj",
            "  examples/lora inspect --model DIR --adapter run/adapter"
        },
        sortOptions = false)
public final class InspectCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    @Mixin(name = "Model")
    private ModelOptions modelOptions;

    @Option(
            names = "--adapter",
            paramLabel = "ADAPTER",
            description = NamedAdapter.DESCRIPTION + "; the options below are then not used.")
    private String adapter;

    @Mixin(name = "Adapter")
    private AdapterOptions adapterOptions;

    @Mixin(name = "Start")
    private StartOptions startOptions;

    @Mixin(name = ConfigOptions.HEADING)
    private ConfigOptions configOptions;

    /** {@inheritDoc} */
    @Override
    public Integer call() throws IOException, MalformedModelException {
        startOptions.check();
        try (ZooModel<NDList, NDList> model = modelOptions.load()) {
            long base = Counts.parameters(model.getBlock());
            try (LoraModel lora =
                    adapter == null
                            ? LoraModel.attach(model, startOptions.config(adapterOptions, 0))
                            : PeftAdapter.load(model, NamedAdapter.find("--adapter", adapter))) {
                describe(lora, base, spec.commandLine().getOut());
            }
        }
        return 0;
    }

    private void describe(LoraModel lora, long base, PrintWriter out) {
        String name = LoraModel.DEFAULT_ADAPTER;
        LoraConfig config = lora.getConfig(name);
        Map<String, LoraLinear> targets = lora.getTargets(name);
        long trainable = lora.getTrainableCount();
        out.printf(Locale.ROOT, "model      %s, %,d parameters%n", modelOptions.name(), base);
        out.printf(
                Locale.ROOT,
                "adapter    %s, rank %d, alpha %s, %s scaling%n",
                config.getInit().getName(),
                config.getRank(),
                number(config.getAlpha()),
                config.isRankStabilized() ? "rank-stabilized" : "plain");
        out.printf(
                Locale.ROOT,
                "trainable  %,d parameters in %d layers, %.2f%% of the model%n%n",
                trainable,
                targets.size(),
                100.0 * trainable / base);
        int width = targets.keySet().stream().mapToInt(String::length).max().orElse(0);
        targets.forEach((path, layer) -> out.println(line(path, width, layer, name)));
        lora.getPrivateCopies(name)
                .getCopies()
                .forEach(
                        (path, copy) ->
                                out.printf(
                                        Locale.ROOT,
                                        "%-" + width + "s  %s, own copy%n",
                                        path,
                                        shape(copy.getShape())));
        out.flush();
    }

    private static String line(String path, int width, LoraLinear layer, String name) {
        LowRankUpdate update = layer.get(name);
        long parameters = update.getRank() * (layer.getIn() + layer.getOut());
        return String.format(
                Locale.ROOT,
                "%-" + width + "s  %-11s  rank %d, eta %.4g, %,d trainable%s",
                path,
                layer.getOut() + " x " + layer.getIn(),
                update.getRank(),
                update.getScaling(),
                parameters,
                update.getA0() == null ? "" : ", start subtracted");
    }

    private static String shape(Shape shape) {
        return shape.toString();
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
    }
}
