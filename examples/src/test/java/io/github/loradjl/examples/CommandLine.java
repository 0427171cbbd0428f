package io.github.loradjl.examples;

import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * What one run of the {@code lora} command did.
 *
 * @param code the exit code
 * @param out standard output
 * @param err what the command line itself wrote to standard error
 */
record CommandLine(int code, String out, String err) {

    static CommandLine run(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] texts = new String[arguments.length];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = arguments[i].toString();
        }
        int code = Lora.run(new PrintWriter(out), new PrintWriter(err), texts);
        return new CommandLine(code, out.toString(), err.toString());
    }
}
