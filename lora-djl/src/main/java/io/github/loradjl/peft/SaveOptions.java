package io.github.loradjl.peft;

/**
 * How an adapter is saved: in PEFT's form with float32 tensors, without a base model's name, unless
 * set otherwise.
 */
public final class SaveOptions {

    private final Form form;
    private final String baseModel;
    private final String baseRevision;
    private final String taskType;
    private final String floatType;

    private SaveOptions(Builder builder) {
        form = builder.form;
        baseModel = builder.baseModel;
        baseRevision = builder.baseRevision;
        taskType = builder.taskType;
        floatType = builder.floatType;
    }

    /** What the tensors of a saved adapter mean. */
    public enum Form {
        /**
         * For PEFT and for going on with training here: ranks, alphas and patterns as configured;
         * where the start is subtracted, A' = [A; A0], B' = [B, -B0] of rank 2r.
         */
        PEFT,
        /**
         * For readers that know one rank and scale by alpha / r only, such as vLLM and llama.cpp:
         * one rank for all targets (filled up with zeros), eta multiplied into B, alpha = r, no
         * patterns. Training cannot be resumed from it.
         */
        PORTABLE
    }

    /**
     * Creates a builder with the defaults.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns the form.
     *
     * @return the form
     */
    public Form getForm() {
        return form;
    }

    /**
     * Returns the name or path that others may find the base model by.
     *
     * @return the name, or null
     */
    public String getBaseModel() {
        return baseModel;
    }

    /**
     * Returns the revision of the base model.
     *
     * @return the revision, such as a commit of the Hugging Face hub, or null
     */
    public String getBaseRevision() {
        return baseRevision;
    }

    /**
     * Returns PEFT's name of the task.
     *
     * @return the name, such as {@code CAUSAL_LM}, or null
     */
    public String getTaskType() {
        return taskType;
    }

    /**
     * Returns the type in which float32 tensors are stored.
     *
     * @return {@code F32}, {@code F16} or {@code BF16}
     */
    public String getFloatType() {
        return floatType;
    }

    /** Builds {@link SaveOptions}. */
    public static final class Builder {

        private Form form = Form.PEFT;
        private String baseModel;
        private String baseRevision;
        private String taskType;
        private String floatType = "F32";

        private Builder() {}

        /**
         * Sets the form, {@link Form#PEFT} by default.
         *
         * @param form the form
         * @return this builder
         */
        public Builder optForm(Form form) {
            this.form = form;
            return this;
        }

        /**
         * Sets the name or path that others may find the base model by; none by default. The model
         * zoo looks it up, and messages name it.
         *
         * @param baseModel the name, such as one on the Hugging Face hub
         * @return this builder
         */
        public Builder optBaseModel(String baseModel) {
            this.baseModel = baseModel;
            return this;
        }

        /**
         * Sets the revision of the base model; none by default.
         *
         * @param revision the revision, such as a commit of the Hugging Face hub
         * @return this builder
         */
        public Builder optBaseRevision(String revision) {
            baseRevision = revision;
            return this;
        }

        /**
         * Sets PEFT's name of the task; none by default.
         *
         * @param taskType the name, such as {@code CAUSAL_LM}
         * @return this builder
         */
        public Builder optTaskType(String taskType) {
            this.taskType = taskType;
            return this;
        }

        /**
         * Sets the type in which float32 tensors are stored, {@code F32} by default. The others
         * round: training that goes on from such a file does not go on exactly.
         *
         * @param floatType {@code F32}, {@code F16} or {@code BF16}
         * @return this builder
         */
        public Builder optFloatType(String floatType) {
            this.floatType = floatType;
            return this;
        }

        /**
         * Builds the options.
         *
         * @return the options
         */
        public SaveOptions build() {
            return new SaveOptions(this);
        }
    }
}
