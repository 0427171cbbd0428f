package io.github.loradjl.zoo.checkpoint;

import ai.djl.Model;

import io.github.loradjl.AdapterCombination;
import io.github.loradjl.LoraModel;
import io.github.loradjl.peft.PeftAdapter;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Gives a loaded model the adapters that are to come with it. */
final class AdapterAttachment {

    private AdapterAttachment() {}

    /**
     * Attaches adapters as one.
     *
     * @param model the model, with its block
     * @param adapters the adapters; nothing is done without any
     * @param isForced whether they may be of another base
     */
    static void attach(Model model, List<WeightedAdapter> adapters, boolean isForced)
            throws IOException {
        if (adapters.isEmpty()) {
            return;
        }
        LoraModel lora = LoraModel.attach(model);
        if (adapters.size() == 1 && adapters.get(0).weight() == 1) {
            Path folder = adapters.get(0).folder();
            PeftAdapter.load(lora, folder, LoraModel.DEFAULT_ADAPTER, isForced);
        } else {
            Map<String, Double> parts = new LinkedHashMap<>();
            for (WeightedAdapter adapter : adapters) {
                String part = "part" + parts.size();
                PeftAdapter.load(lora, adapter.folder(), part, isForced);
                parts.put(part, adapter.weight());
            }
            lora.addWeightedAdapter(
                    LoraModel.DEFAULT_ADAPTER, parts, AdapterCombination.CONCATENATE);
            parts.keySet().forEach(lora::removeAdapter);
        }
        lora.setActive(LoraModel.DEFAULT_ADAPTER);
    }
}
