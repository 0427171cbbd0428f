package io.github.loradjl.examples.benchmark.speed;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.repository.zoo.ZooModel;

import com.google.gson.Gson;
import io.github.loradjl.examples.report.LiveArrays;
import io.github.loradjl.examples.report.ResidentMemory;
import io.github.loradjl.gradient.GradientSvd;
import io.github.loradjl.init.LoraGaInit;
import io.github.loradjl.init.LoraInit;
import io.github.loradjl.linalg.SvdOptions;
import io.github.loradjl.peft.PeftAdapter;
import io.github.loradjl.zoo.checkpoint.HuggingFaceFolder;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Our side of a comparison: prepares some work, then does it once for each line of standard input
 * and answers each by a line of JSON. {@code peft_speed.py} is the other side.
 */
public final class SpeedWorker {

    /** The passes of a probe without power iterations. */
    private static final int PROBE_PASSES = 2;

    private SpeedWorker() {}

    /**
     * Works.
     *
     * @param args the work, the model's folder, float32 or bfloat16, the file of batches, the
     *     adapter's folder, the number of tokens to write
     * @throws Exception if the work fails
     */
    public static void main(String[] args) throws Exception {
        try (Work work = prepare(args)) {
            repeat(work);
        }
    }

    /** Works once for each line of standard input. */
    static void repeat(Work work) throws Exception {
        PrintStream out = System.out;
        BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Gson gson = new Gson();
        out.println("{}");
        int turn = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            work.reset();
            long start = System.nanoTime();
            double value = work.run(turn++);
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("seconds", (System.nanoTime() - start) / 1e9);
            if (!Double.isNaN(value)) {
                answer.put("value", value);
            }
            answer.put("peak", ResidentMemory.peak());
            answer.put("live", LiveArrays.count());
            out.println(gson.toJson(answer));
        }
    }

    private static Work prepare(String[] args) throws IOException, MalformedModelException {
        ZooModel<NDList, NDList> model =
                HuggingFaceFolder.load(
                        Path.of(args[1]),
                        Device.cpu(),
                        DataType.valueOf(args[2].toUpperCase(Locale.ROOT)));
        Batches batches = Batches.read(Path.of(args[3]));
        Path adapter = Path.of(args[4]);
        return switch (args[0]) {
            case "step" -> new Training(PeftAdapter.load(model, adapter), batches, false);
            case "steps" ->
                    new Repeated(
                            new Training(PeftAdapter.load(model, adapter), batches, false),
                            PROBE_PASSES * batches.batches().size());
            case "checkpointed" -> new Training(PeftAdapter.load(model, adapter), batches, true);
            case "start" ->
                    new GradientStart(
                            model, batches, GradientSvd.layerByLayer(), LoraInit.loraGa());
            case "probe" ->
                    new GradientStart(model, batches, GradientSvd.probe(), withoutIterations());
            case "write" -> new Writing(model, batches, Integer.parseInt(args[5]));
            case "products" -> new Products(model, batches, false);
            case "attention" -> new Products(model, batches, true);
            default -> throw new IllegalArgumentException("no such work: " + args[0]);
        };
    }

    private static LoraInit withoutIterations() {
        SvdOptions svd = SvdOptions.builder().optPowerIterations(0).build();
        return LoraGaInit.builder().optSvdOptions(svd).build();
    }
}
