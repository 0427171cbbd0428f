package io.github.loradjl.zoo.hub;

/** Text from elsewhere, fit for a message: short, and without what a terminal would obey. */
final class Printable {

    private static final int MOST = 200;

    private Printable() {}

    static String of(String text) {
        String plain = text.replaceAll("[\\p{Cntrl}\\p{Cf}]", "?");
        return plain.length() <= MOST ? plain : plain.substring(0, MOST) + "...";
    }
}
