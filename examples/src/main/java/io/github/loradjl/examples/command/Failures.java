package io.github.loradjl.examples.command;

import ai.djl.MalformedModelException;
import ai.djl.repository.zoo.ModelNotFoundException;

import io.github.loradjl.examples.config.Nearest;
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
    public static int report(Exception exception, PrintWriter err, boolean stacktrace) {
        Throwable cause = unwrap(exception);
        err.println("lora: " + describe(cause));
        if (stacktrace) {
            exception.printStackTrace(err);
        }
        err.flush();
        return cause instanceof CancellationException ? Interruption.EXIT_CODE : ExitCode.SOFTWARE;
    }

    private static String describe(Throwable cause) {
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
