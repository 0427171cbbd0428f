package io.github.loradjl.zoo.text.chat;

import java.util.List;

/** A piece of a template that writes something, or changes what is written behind it. */
@FunctionalInterface
interface Part {

    /** How rendering goes on behind a part. */
    enum Next {
        FOLLOWING,
        BREAK,
        CONTINUE
    }

    Next render(Scope scope);

    /** Renders parts one after the other, up to one that leaves the turn of the loop. */
    static Next all(List<Part> parts, Scope scope) {
        for (Part part : parts) {
            Next next = part.render(scope);
            if (next != Next.FOLLOWING) {
                return next;
            }
        }
        return Next.FOLLOWING;
    }
}
