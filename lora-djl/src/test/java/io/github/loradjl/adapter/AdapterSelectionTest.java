package io.github.loradjl.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.concurrent.CompletableFuture;

class AdapterSelectionTest {

    private final AdapterSelection selection = new AdapterSelection();

    @BeforeEach
    void activate() {
        selection.set(List.of("a", "b"));
    }

    @Test
    void use_nested_endsAtTheChoiceBefore() {
        try (AdapterSelection.Scope outer = selection.use(List.of("b"))) {
            try (AdapterSelection.Scope inner = selection.use(List.of())) {
                assertThat(selection.active()).isEmpty();
            }
            assertThat(selection.active()).containsExactly("b");
            assertThat(selection.isOverridden()).isTrue();
        }
        assertThat(selection.active()).containsExactly("a", "b");
        assertThat(selection.isOverridden()).isFalse();
    }

    @Test
    void use_isNotSeenByOtherThreads() {
        try (AdapterSelection.Scope scope = selection.use(List.of("a"))) {
            assertThat(CompletableFuture.supplyAsync(selection::active).join())
                    .containsExactly("a", "b");
        }
    }

    @Test
    void use_whileSwitchedOff_stillChooses() {
        selection.setEnabled(false);
        assertThat(selection.active()).isEmpty();
        assertThat(selection.get()).containsExactly("a", "b");
        try (AdapterSelection.Scope scope = selection.use(List.of("a"))) {
            assertThat(selection.active()).containsExactly("a");
        }
    }

    @Test
    void pin_keepsTheChoiceWhateverIsSet() {
        try (AdapterSelection.Scope scope = selection.pin()) {
            selection.set(List.of("c"));
            selection.setEnabled(false);
            assertThat(selection.active()).containsExactly("a", "b");
        }
        assertThat(selection.active()).isEmpty();
    }
}
