package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.repository.zoo.ModelNotFoundException;

import io.github.loradjl.examples.config.Nearest;
import io.github.loradjl.examples.doctor.Findings;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Arrays;
import java.util.concurrent.CancellationException;

/** Turns what went wrong into one line for the person at the terminal. */
public final class Failures {

    private Failures() {}

    /**
     * Reports a command line that cannot be understood.
     *
     * @param exception what picocli found
     * @param arguments the command line
     * @return the exit code
     */
    public static int usage(ParameterException exception, String[] arguments) {
        CommandLine command = exception.getCommandLine();
        command.getErr()
                .printf(
                        "lora: %s (see %s --help)%n",
                        oneLine(exception.getMessage() + meant(exception)),
                        command.getCommandSpec().qualifiedName());
        return ExitCode.USAGE;
    }

    /** Asks whether another option, or command, was meant. */
    private static String meant(ParameterException exception) {
        if (!(exception instanceof UnmatchedArgumentException unmatched)) {
            return "";
        }
        CommandSpec command = exception.getCommandLine().getCommandSpec();
        String given = unmatched.getUnmatched().get(0).split("=", 2)[0];
        return Nearest.question(
                given,
                unmatched.isUnknownOption()
                        ? command.optionsMap().keySet()
                        : command.subcommands().keySet());
    }

    /**
     * Reports a command that failed.
     *
     * @param exception why
     * @param err where to
     * @param stacktrace true to show the place in the code as well
     * @return the exit code
     */
    public static int report(Throwable exception, PrintWriter err, boolean stacktrace) {
        Throwable cause = unwrap(exception);
        err.println("lora: " + describe(cause));
        if (stacktrace) {
            exception.printStackTrace(err);
        }
        err.flush();
        return cause instanceof CancellationException ? Interruption.EXIT_CODE : ExitCode.SOFTWARE;
    }

    private static String describe(Throwable cause) {
        if (isStart(cause)) {
            return "the engine does not start: "
                    + Findings.reason(cause)
                    + " (examples/lora doctor says what is in use and what to do)";
        }
        String message = cause.getMessage() == null ? "" : oneLine(cause.getMessage());
        if (cause instanceof NoSuchFileException || cause instanceof FileNotFoundException) {
            return "no such file or folder: " + message;
        }
        if (cause instanceof NotDirectoryException) {
            return "not a folder: " + message;
        }
        if (cause instanceof AccessDeniedException) {
            return "no permission: " + message;
        }
        if (cause instanceof FileAlreadyExistsException) {
            return "already exists: " + message;
        }
        if (isExpected(cause) && !message.isEmpty()) {
            return message;
        }
        return "unexpected "
                + cause.getClass().getSimpleName()
                + (message.isEmpty() ? "" : ": " + message)
                + " (--stacktrace shows where)";
    }

    /** Tells whether the engine or natives were being loaded, rather than used. */
    private static boolean isStart(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            boolean isEngine =
                    cause instanceof EngineException
                            && Arrays.stream(cause.getStackTrace()).anyMatch(Failures::isStart);
            if (isEngine || cause instanceof LinkageError) {
                return true;
            }
        }
        return false;
    }

    private static boolean isStart(StackTraceElement frame) {
        return frame.getClassName().equals(Engine.class.getName())
                || frame.getClassName().equals(PtEngine.class.getName())
                        && frame.getMethodName().equals("newInstance");
    }

    /** DJL wraps what a loader threw; what was thrown says more. */
    private static Throwable unwrap(Throwable exception) {
        Throwable cause = exception;
        while (cause.getCause() != null
                && (cause instanceof UncheckedIOException
                        || cause instanceof ModelNotFoundException
                        || cause.getClass() == RuntimeException.class)) {
            cause = cause.getCause();
        }
        return cause;
    }

    private static boolean isExpected(Throwable cause) {
        return cause instanceof IllegalArgumentException
                || cause instanceof IllegalStateException
                || cause instanceof UnsupportedOperationException
                || cause instanceof ArithmeticException
                || cause instanceof MalformedModelException
                || cause instanceof ModelNotFoundException
                || cause instanceof IOException;
    }

    private static String oneLine(String message) {
        return message.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
