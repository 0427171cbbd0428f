package io.github.loradjl.examples.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

class BpeTrainerTest {

    @TempDir private Path folder;

    @Test
    void train_smallText_joinsTheMostFrequentPairFirst() {
        BpeTrainer trainer = new BpeTrainer();
        trainer.add("aab aab aac aac");
        BpeTrainer.Bpe bpe = trainer.train(260, List.of("<s>"));
        // The words are "aab" and " aab" once and " aac" twice: "a a" occurs four times, then
        // "Ġ aa" three times, then "Ġaa c" twice.
        assertThat(bpe.merges()).containsExactly("a a", "Ġ aa", "Ġaa c");
        assertThat(bpe.vocabulary()).hasSize(260).containsEntry("<s>", 0).containsEntry("aa", 257);
    }

    @Test
    void train_equalCounts_decidedByText() {
        BpeTrainer trainer = new BpeTrainer();
        trainer.add("zw xy zw xy");
        assertThat(trainer.train(257, List.of()).merges()).containsExactly("x y");
    }

    @Test
    void train_noPairTwice_stopsEarly() {
        BpeTrainer trainer = new BpeTrainer();
        trainer.add("abc");
        assertThat(trainer.train(300, List.of()).vocabulary()).hasSize(256);
    }

    @Test
    void train_tooSmall_isRefused() {
        assertThatThrownBy(() -> new BpeTrainer().train(256, List.of("<s>")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("256 bytes and 1 special");
    }

    @Test
    void write_trainedOnStories_loadsAndKeepsEveryText() throws IOException {
        BpeTrainer trainer = new BpeTrainer();
        StoryGrammar grammar = new StoryGrammar(1);
        for (int i = 0; i < 300; i++) {
            trainer.add(grammar.next().text());
        }
        BpeTrainer.Bpe bpe = trainer.train(600, TokenizerWriter.SPECIAL_TOKENS);
        TokenizerWriter.write(folder, bpe, 512);
        String text = grammar.next().text() + "\nQ: naïve “日本” \t 12345's?";
        try (HuggingFaceTokenizer tokenizer =
                HuggingFaceTokenizer.newInstance(
                        folder.resolve("tokenizer.json"), Map.of("modelMaxLength", "512"))) {
            long[] ids = tokenizer.encode(text).getIds();
            assertThat(ids[0]).isZero();
            assertThat(LongStream.of(ids)).allMatch(id -> id < 600);
            assertThat(tokenizer.decode(ids, true)).isEqualTo(text);
            assertThat(tokenizer.encode(" the").getIds())
                    .containsExactly(0, bpe.vocabulary().get("Ġthe"));
            assertThat(tokenizer.encode("</s>").getIds()).containsExactly(0, 1);
        }
    }
}
