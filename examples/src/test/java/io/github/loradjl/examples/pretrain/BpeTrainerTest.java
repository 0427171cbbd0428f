package io.github.loradjl.examples.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;

import io.github.loradjl.zoo.text.TextTokenizer;
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
        SpecialTokens special = SmallModel.llama().specialTokens();
        BpeTrainer.Bpe bpe = trainer.train(600, special.first());
        new TokenizerWriter(bpe, special).write(folder, 512);
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

    @Test
    void write_sentinels_haveTheLastIdsAndTextsEnd() throws IOException {
        BpeTrainer trainer = new BpeTrainer();
        trainer.add("the bear and the bee and the boat");
        SpecialTokens special = SmallModel.t5().specialTokens();
        BpeTrainer.Bpe bpe = trainer.train(262, special.first());
        new TokenizerWriter(bpe, special).write(folder, 512);
        try (TextTokenizer tokenizer = TextTokenizer.load(folder)) {
            long words = bpe.vocabulary().size();
            assertThat(tokenizer.getVocabularySize()).isEqualTo(words + 100);
            assertThat(tokenizer.getId("<extra_id_0>")).hasValue(words + 99);
            assertThat(tokenizer.getId("<extra_id_99>")).hasValue(words);
            long[] ids = tokenizer.encode("the<extra_id_1> bee");
            assertThat(ids).contains(words + 98).endsWith(1);
            assertThat(tokenizer.decode(ids)).isEqualTo("the bee");
            assertThat(tokenizer.getPadId()).hasValue(0);
            assertThat(tokenizer.getBosId()).isEmpty();
        }
    }
}
