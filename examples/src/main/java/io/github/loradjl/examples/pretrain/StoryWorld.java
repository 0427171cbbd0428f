package io.github.loradjl.examples.pretrain;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * What one story is about: everything that a {@code {slot}} of the grammar can stand for, drawn
 * once, so that a thing keeps its color and a fox stays a fox from the first sentence to the last.
 *
 * <p>No two characters, places, things, colors, hiding places or words of a world are equal.
 * Numbers add up: {@code all} is {@code some} and {@code left} together.
 */
final class StoryWorld {

    private static final List<String> GIRLS =
            List.of("Mira", "Lila", "Nora", "Ruby", "Tess", "Ivy", "Ada", "Wren");
    private static final List<String> BOYS =
            List.of("Tobin", "Otto", "Pip", "Hugo", "Finn", "Milo", "Jonas", "Max");
    private static final List<String> KINDS =
            List.of(
                    "fox", "bear", "hare", "mouse", "badger", "duck", "goat", "cat", "frog", "dog",
                    "beaver", "wolf");
    private static final List<String> PLACES =
            List.of(
                    "by the river",
                    "in the garden",
                    "on the hill",
                    "at the market",
                    "under the bridge",
                    "in the forest",
                    "in the barn",
                    "by the lake",
                    "at the mill",
                    "in the meadow",
                    "near the tower",
                    "in the village");
    private static final List<String> THINGS =
            List.of(
                    "kite", "ball", "book", "lantern", "drum", "boat", "hat", "bell", "basket",
                    "cup", "coat", "flute");
    private static final List<String> HEAVY =
            List.of("stone", "table", "log", "bed", "barrel", "chest");
    private static final List<String> COLORS =
            List.of("red", "blue", "green", "yellow", "white", "black", "brown", "golden");
    private static final List<String> HIDING_PLACES =
            List.of(
                    "behind a tree",
                    "under a table",
                    "in a basket",
                    "behind a wall",
                    "under a big leaf",
                    "in the tall grass");
    private static final Map<String, String> GOODS =
            Map.of(
                    "apples", "apple",
                    "pears", "pear",
                    "nuts", "nut",
                    "berries", "berry",
                    "plums", "plum",
                    "carrots", "carrot",
                    "cherries", "cherry",
                    "mushrooms", "mushroom");
    private static final List<String> NUMBERS =
            List.of(
                    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
                    "eleven", "twelve");

    private final Map<String, String> slots = new HashMap<>();

    StoryWorld(Random random) {
        drawCharacters(random);
        List<String> places = shuffled(PLACES, random);
        List<String> things = shuffled(THINGS, random);
        List<String> colors = shuffled(COLORS, random);
        for (int i = 1; i <= 3; i++) {
            String spot = places.get(i - 1);
            slots.put("spot" + i, spot);
            slots.put("place" + i, spot.substring(spot.indexOf(' ') + 1));
            slots.put("thing" + i, things.get(i - 1));
            slots.put("color" + i, colors.get(i - 1));
        }
        List<String> hidingPlaces = shuffled(HIDING_PLACES, random);
        slots.put("hide1", hidingPlaces.get(0));
        slots.put("hide2", hidingPlaces.get(1));
        slots.put("heavy", HEAVY.get(random.nextInt(HEAVY.size())));
        drawNumbers(random);
        drawWords(random);
    }

    private void drawCharacters(Random random) {
        List<String> everyone = new ArrayList<>(GIRLS);
        everyone.addAll(BOYS);
        List<String> names = shuffled(everyone, random);
        List<String> kinds = shuffled(KINDS, random);
        for (int i = 0; i < 3; i++) {
            String slot = String.valueOf((char) ('A' + i));
            String name = names.get(i);
            boolean girl = GIRLS.contains(name);
            slots.put(slot, name);
            slots.put(slot + " kind", kinds.get(i));
            slots.put(slot + " he", girl ? "she" : "he");
            slots.put(slot + " He", girl ? "She" : "He");
            slots.put(slot + " his", girl ? "her" : "his");
            slots.put(slot + " him", girl ? "her" : "him");
        }
    }

    private void drawNumbers(Random random) {
        List<String> plurals = new ArrayList<>(GOODS.keySet());
        Collections.sort(plurals);
        String goods = plurals.get(random.nextInt(plurals.size()));
        int all = 3 + random.nextInt(7);
        int some = 1 + random.nextInt(all - 1);
        slots.put("goods", goods);
        putAmount("all", all, goods);
        putAmount("some", some, goods);
        putAmount("left", all - some, goods);
        slots.put("number", NUMBERS.get(2 + random.nextInt(NUMBERS.size() - 2)));
    }

    /** Words that have nothing to do with each other, for rhymes. */
    private void drawWords(Random random) {
        List<String> all = new ArrayList<>(KINDS);
        all.addAll(THINGS);
        all.addAll(HEAVY);
        PLACES.forEach(place -> all.add(place.substring(place.lastIndexOf(' ') + 1)));
        List<String> words = shuffled(all, random);
        for (int i = 1; i <= 6; i++) {
            slots.put("word" + i, words.get(i - 1));
        }
    }

    private void putAmount(String slot, int amount, String goods) {
        String number = NUMBERS.get(amount - 1);
        slots.put(slot, number);
        slots.put(slot + " goods", number + " " + (amount == 1 ? GOODS.get(goods) : goods));
    }

    private static List<String> shuffled(List<String> values, Random random) {
        List<String> copy = new ArrayList<>(values);
        Collections.shuffle(copy, random);
        return copy;
    }

    /** Returns what a slot stands for, or null if there is no such slot. */
    String get(String slot) {
        return slots.get(slot);
    }
}
