package io.github.loradjl.examples.compare.diagnose;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.dataset.Batch;

import io.github.loradjl.LoraConfig;
import io.github.loradjl.LoraModel;
import io.github.loradjl.adapter.LoraLinear;
import io.github.loradjl.examples.compare.Setup;
import io.github.loradjl.examples.report.Chart;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.gradient.GradientTask;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.linalg.SingularFactors;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.zoo.block.LanguageModel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The singular values of the gradient that LoRA-GA starts from, and how much of its energy the
 * leading ones hold; averaged over the layers of each kind.
 *
 * @param kinds by the last part of a layer's name, its spectrum
 */
public record Spectra(Map<String, Spectrum> kinds) implements Diagnosis {

    /** More singular values than any usual rank reaches. */
    private static final int MOST = 128;

    private static final int[] SHOWN = {1, 2, 4, 8, 16, 32, 64};

    /**
     * The mean spectrum of several layers.
     *
     * @param layers the number of layers
     * @param values singular values as shares of the largest, descending
     * @param energy the share of the squared Frobenius norm in the first values
     */
    public record Spectrum(int layers, List<Double> values, List<Double> energy) {}

    /** Computes the spectra over the batches of the gradient pass. */
    static Spectra measure(Setup setup) throws IOException, MalformedModelException {
        LoraConfig config =
                setup.recipe().adapter().toBuilder()
                        .optRank(1)
                        .optInit(LoraInit.kaimingUniform())
                        .build();
        try (ZooModel<NDList, NDList> model = setup.models().frozen();
                LoraModel lora = LoraModel.attach(model, config);
                NDManager manager = model.getNDManager().newSubManager()) {
            Map<String, LoraLinear> layers = lora.getTargets(LoraModel.DEFAULT_ADAPTER);
            Map<String, Integer> counts = new LinkedHashMap<>();
            layers.forEach(
                    (path, layer) ->
                            counts.put(
                                    path,
                                    (int) Math.min(MOST, Math.min(layer.getIn(), layer.getOut()))));
            List<Batch> batches = new ArrayList<>();
            int wanted =
                    Math.min(
                            setup.recipe().calibrationBatches(),
                            setup.data().train(0, 1).getCalibrationLimit());
            setup.data().train(0, 1).calibration(wanted).getData(manager).forEach(batches::add);
            GradientTask task =
                    new GradientTask(
                            lora.getBase(),
                            layers,
                            counts,
                            ((LanguageModel) lora.getBase()).newLoss(),
                            batches,
                            LoraGaInit.builder()
                                    .optSvdOptions(SvdOptions.builder().optExact(true).build())
                                    .build(),
                            0,
                            0,
                            manager,
                            null);
            Map<String, List<SingularFactors>> grouped = new TreeMap<>();
            GradientSvd.automatic()
                    .compute(task)
                    .forEach(
                            (path, factors) ->
                                    grouped.computeIfAbsent(kind(path), k -> new ArrayList<>())
                                            .add(factors.leading()));
            Map<String, Spectrum> kinds = new LinkedHashMap<>();
            grouped.forEach((kind, factors) -> kinds.put(kind, mean(factors)));
            return new Spectra(kinds);
        }
    }

    private static String kind(String path) {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    /** Returns the mean over layers, as far as the one with the fewest values. */
    static Spectrum mean(List<SingularFactors> layers) {
        int count = layers.stream().mapToInt(SingularFactors::rank).min().orElse(0);
        double[] values = new double[count];
        double[] energy = new double[count];
        for (SingularFactors factors : layers) {
            float[] s = factors.s().toFloatArray();
            double sum = 0;
            for (int i = 0; i < count; i++) {
                sum += (double) s[i] * s[i];
                values[i] += s[i] / s[0] / layers.size();
                energy[i] += sum / factors.energy() / layers.size();
            }
        }
        return new Spectrum(layers.size(), list(values), list(energy));
    }

    private static List<Double> list(double[] values) {
        List<Double> list = new ArrayList<>();
        for (double value : values) {
            list.add(value);
        }
        return list;
    }

    /** {@inheritDoc} */
    @Override
    public List<String> plot(Path folder, String title) throws IOException {
        Chart spectra =
                new Chart(title + ", gradient", "singular value number", "share of the largest")
                        .logarithmicY()
                        .legendOutside();
        Chart energy =
                new Chart(title + ", gradient", "rank", "share of the energy captured")
                        .limitY(0.0, 1.0)
                        .legendOutside();
        kinds.forEach(
                (kind, spectrum) -> {
                    double[] x = new double[spectrum.values().size()];
                    double[] y = new double[x.length];
                    double[] e = new double[x.length];
                    for (int i = 0; i < x.length; i++) {
                        x[i] = i + 1;
                        y[i] = Math.max(1e-8, spectrum.values().get(i));
                        e[i] = spectrum.energy().get(i);
                    }
                    spectra.line(kind, x, y);
                    energy.line(kind, x, e);
                });
        spectra.write(folder.resolve("spectra.png"));
        energy.write(folder.resolve("energy.png"));
        return List.of("spectra.png", "energy.png");
    }

    /** {@inheritDoc} */
    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Spectra of the gradient\n\n");
        text.append("Share of the gradient's energy (squared Frobenius norm) in its best");
        text.append(" approximation of a rank, mean over the layers of a kind. LoRA-GA's first");
        text.append(" step reaches twice its rank.\n\n| layers |");
        for (int rank : SHOWN) {
            text.append(" rank ").append(rank).append(" |");
        }
        text.append("\n|---|").append("---|".repeat(SHOWN.length)).append('\n');
        kinds.forEach(
                (kind, spectrum) -> {
                    text.append("| ").append(spectrum.layers()).append(" x ").append(kind);
                    text.append(" |");
                    for (int rank : SHOWN) {
                        boolean known = rank <= spectrum.energy().size();
                        text.append(
                                known
                                        ? String.format(
                                                Locale.ROOT,
                                                " %.1f%% |",
                                                100 * spectrum.energy().get(rank - 1))
                                        : " |");
                    }
                    text.append('\n');
                });
        return text.toString();
    }
}
