package io.github.loradjl.examples.command;

import io.github.loradjl.examples.doctor.Findings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

import java.util.concurrent.Callable;

/** Says what is in use on this machine, and what is wrong. */
@Command(
        name = "doctor",
        header = "Says what is in use here, and what is wrong.",
        description =
                "Shows Java, the engine with its natives and devices, the caches, the Hugging Face"
                        + " hub (never the token itself) and the repositories of adapters, as the"
                        + " other commands would use them. The hub is not asked whether it answers."
                        + " Below stands what is wrong and what to"
                        + " do; the exit code is then 1.",
        mixinStandardHelpOptions = true)
public final class DoctorCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    /** {@inheritDoc} */
    @Override
    public Integer call() {
        Findings findings = Findings.look();
        findings.print(spec.commandLine().getOut());
        return findings.getProblems().isEmpty() ? 0 : 1;
    }
}
