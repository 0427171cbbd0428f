package io.github.loradjl.examples.command;

import io.github.loradjl.examples.config.TaskFile;
import io.github.loradjl.zoo.text.task.ClassificationTask;
import io.github.loradjl.zoo.text.task.GlueTask;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Which classification task the rows are of, if they are. */
final class TaskOptions {

    @Option(
            names = "--task",
            paramLabel = "NAME",
            description =
                    "The rows are those of a classification task, asked in words: sst-2, cola,"
                        + " mrpc, qqp, qnli, mnli or rte, in GLUE's own .tsv files, or a YAML file"
                        + " that describes a task of yours (examples/recipes/task.yaml is one).")
    private String task;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Returns the task, or null where the rows are of none. */
    ClassificationTask read() throws IOException {
        if (task == null) {
            return null;
        }
        Path file = Path.of(task);
        if (Files.isRegularFile(file)) {
            return TaskFile.read(file);
        }
        try {
            return GlueTask.of(task).task();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(
                    command.commandLine(),
                    "--task " + task + " is no file, and " + e.getMessage(),
                    e);
        }
    }

    boolean isGiven() {
        return task != null;
    }
}
