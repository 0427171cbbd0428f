package io.github.loradjl.zoo;

import ai.djl.util.Progress;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A base model of the zoo.
 *
 * @param artifactId its name in the zoo
 * @param hubId its name on the Hugging Face hub, null for a model that ships
 * @param revision the commit of the hub, null where it is not known
 * @param license the id of its licence, null where it is not known
 * @param task PEFT's name of what it does, null where it is not known
 * @param isVerified whether this library has been seen to load it
 * @param shipped the model in this jar, null for one on the hub
 */
record BaseEntry(
        String artifactId,
        String hubId,
        String revision,
        String license,
        String task,
        boolean isVerified,
        ShippedModel shipped) {

    private static final String CAUSAL = "CAUSAL_LM";
    private static final String SEQ_2_SEQ = "SEQ_2_SEQ_LM";

    /** All base models, those that ship first. */
    static final List<BaseEntry> ALL =
            List.of(
                    shipped(TinyStoryLlama.NAME, CAUSAL, TinyStoryLlama.MODEL),
                    shipped(TinyStoryT5.NAME, SEQ_2_SEQ, TinyStoryT5.MODEL),
                    verified("HuggingFaceTB/SmolLM2-135M-Instruct", "apache-2.0"),
                    causal("HuggingFaceTB/SmolLM2-135M", "apache-2.0"),
                    causal("HuggingFaceTB/SmolLM2-360M", "apache-2.0"),
                    causal("HuggingFaceTB/SmolLM2-360M-Instruct", "apache-2.0"),
                    causal("HuggingFaceTB/SmolLM2-1.7B", "apache-2.0"),
                    causal("HuggingFaceTB/SmolLM2-1.7B-Instruct", "apache-2.0"),
                    causal("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "apache-2.0"),
                    causal("meta-llama/Llama-2-7b-hf", "llama2"),
                    causal("meta-llama/Llama-2-7b-chat-hf", "llama2"),
                    causal("meta-llama/Llama-3.2-1B", "llama3.2"),
                    causal("meta-llama/Llama-3.2-1B-Instruct", "llama3.2"),
                    causal("meta-llama/Llama-3.2-3B", "llama3.2"),
                    causal("meta-llama/Llama-3.2-3B-Instruct", "llama3.2"),
                    causal("mistralai/Mistral-7B-v0.1", "apache-2.0"),
                    causal("Qwen/Qwen2.5-0.5B", "apache-2.0"),
                    causal("Qwen/Qwen2.5-0.5B-Instruct", "apache-2.0"),
                    causal("Qwen/Qwen2.5-1.5B", "apache-2.0"),
                    causal("Qwen/Qwen2.5-1.5B-Instruct", "apache-2.0"),
                    seq2Seq("google-t5/t5-small"),
                    seq2Seq("google-t5/t5-base"),
                    seq2Seq("google-t5/t5-large"),
                    seq2Seq("google/t5-v1_1-small"),
                    seq2Seq("google/t5-v1_1-base"),
                    seq2Seq("google/t5-v1_1-large"),
                    seq2Seq("google/flan-t5-small"),
                    seq2Seq("google/flan-t5-base"),
                    seq2Seq("google/flan-t5-large"));

    private static BaseEntry shipped(String name, String task, ShippedModel model) {
        return new BaseEntry(name, null, null, "apache-2.0", task, true, model);
    }

    private static BaseEntry verified(String hubId, String license) {
        return new BaseEntry(name(hubId), hubId, null, license, CAUSAL, true, null);
    }

    private static BaseEntry causal(String hubId, String license) {
        return new BaseEntry(name(hubId), hubId, null, license, CAUSAL, false, null);
    }

    private static BaseEntry seq2Seq(String hubId) {
        return new BaseEntry(name(hubId), hubId, null, "apache-2.0", SEQ_2_SEQ, false, null);
    }

    private static String name(String hubId) {
        return hubId.substring(hubId.indexOf('/') + 1);
    }

    /** Finds a base by its name here or on the hub, or null. */
    static BaseEntry find(String id) {
        return ALL.stream()
                .filter(e -> e.artifactId.equalsIgnoreCase(id) || id.equals(e.hubId))
                .findFirst()
                .orElse(null);
    }

    /** Makes the entry of a model that the zoo does not list. */
    static BaseEntry onHub(String hubId) {
        return new BaseEntry(name(hubId), hubId, null, null, null, false, null);
    }

    /** Returns the entry of another revision; a model that ships has but one. */
    BaseEntry at(String other) {
        return hubId == null
                ? this
                : new BaseEntry(artifactId, hubId, other, license, task, isVerified, shipped);
    }

    /** Returns the Hugging Face folder, unpacked or fetched if need be. */
    Path folder(Progress progress) throws IOException {
        return shipped != null ? shipped.folder() : HubModels.folder(hubId, revision, progress);
    }

    /** Tells whether a folder is to be had without the network. */
    boolean isFetched() throws IOException {
        return shipped != null || HubModels.isFetched(hubId, revision);
    }

    /** Returns what filters select by and lists show. */
    Map<String, String> properties() {
        Map<String, String> properties = new TreeMap<>();
        properties.put("base", artifactId);
        properties.put("license", license);
        properties.put("task", task);
        properties.put("verified", Boolean.toString(isVerified));
        if (hubId != null) {
            properties.put("hub", hubId);
        }
        if (revision != null) {
            properties.put("revision", revision);
        }
        return properties;
    }
}
