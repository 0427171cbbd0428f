package io.github.loradjl.zoo.text.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.loradjl.testing.SharedRoot;
import io.github.loradjl.zoo.text.PromptRow;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Small files in the formats in which GLUE ships its tasks. */
class GlueTaskTest {

    @TempDir private Path folder;

    private List<PromptRow> read(GlueTask task, String... lines) throws IOException {
        Path file = Files.writeString(folder.resolve("dev.tsv"), String.join("\n", lines) + "\n");
        return PromptRow.read(file, task.task(), 100);
    }

    private static void assertRow(PromptRow row, String id, String prompt, String answer) {
        assertThat(row.id()).isEqualTo(id);
        assertThat(row.prompt()).isEqualTo(prompt);
        assertThat(row.answer()).isEqualTo(answer);
    }

    @Test
    void sst2_keepsBlanksAndQuotes() throws IOException {
        List<PromptRow> rows =
                read(
                        GlueTask.SST_2,
                        "sentence\tlabel",
                        "it 's a charming journey . \t1",
                        "`` a \"film\" of no wit \" \t0");
        assertThat(rows).hasSize(2);
        assertRow(
                rows.get(0),
                "2",
                "classify the sentiment of the text: it 's a charming journey . \nresult: ",
                "positive");
        assertRow(
                rows.get(1),
                "3",
                "classify the sentiment of the text: `` a \"film\" of no wit \" \nresult: ",
                "negative");
    }

    @Test
    void cola_hasNoLineOfNames() throws IOException {
        List<PromptRow> rows =
                read(
                        GlueTask.COLA,
                        "gj04\t1\t\tOur friends won't buy this.",
                        "gj04\t0\t*\tThey drank the pub.");
        assertRow(
                rows.get(0),
                "1",
                "classify the grammaticality of the text: Our friends won't buy this.\nresult: ",
                "acceptable");
        assertRow(
                rows.get(1),
                "2",
                "classify the grammaticality of the text: They drank the pub.\nresult: ",
                "unacceptable");
    }

    @Test
    void mrpc_takesQuotesAsCharacters() throws IOException {
        List<PromptRow> rows =
                read(
                        GlueTask.MRPC,
                        "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String",
                        "1\t70\t71\t\"A dollar, he said .\t\" A dollar , \" he said $1 .",
                        "0\t72\t73\tOne .\tTwo .");
        assertRow(
                rows.get(0),
                "2",
                "classify the semantic similarity of the text: \"A dollar, he said .\n"
                        + "\" A dollar , \" he said $1 .\nresult: ",
                "equivalent");
        assertThat(rows.get(1).answer()).isEqualTo("different");
    }

    @Test
    void qqp_leavesBrokenRowsOut() throws IOException {
        List<PromptRow> rows =
                read(
                        GlueTask.QQP,
                        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
                        "1\t2\t3\tHow?\tIn what way?\t1",
                        "4\t5\t6\tWhy?",
                        "7\t8\t9\tWho?\tWhere?\t0");
        assertThat(rows.stream().map(PromptRow::id)).containsExactly("2", "4");
        assertRow(
                rows.get(0),
                "2",
                "classify the semantic similarity of the text: How?\nIn what way?\nresult: ",
                "duplicate");
        assertThat(rows.get(1).answer()).isEqualTo("different");
    }

    @Test
    void qnliAndRte_haveAnIndex() throws IOException {
        PromptRow qnli =
                read(
                                GlueTask.QNLI,
                                "index\tquestion\tsentence\tlabel",
                                "0\tWho said \"no\"?\tHe said \"no.\tnot_entailment")
                        .get(0);
        assertRow(
                qnli,
                "2",
                "classify the semantic similarity of the question and the sentence: Who said"
                        + " \"no\"?\nHe said \"no.\nresult: ",
                "not_entailment");
        PromptRow rte =
                read(
                                GlueTask.RTE,
                                "index\tsentence1\tsentence2\tlabel",
                                "0\tIt rained all day.\tIt rained.\tentailment")
                        .get(0);
        assertRow(
                rte,
                "2",
                "classify the semantic similarity of the text and the sentence: It rained all"
                        + " day.\nIt rained.\nresult: ",
                "entailment");
    }

    @Test
    void mnli_findsTheGoldLabelInTrainAndDev() throws IOException {
        String common =
                "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\t"
                        + "sentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1";
        String texts = "0\t1\t1n\tfiction\t( a )\t( b )\t(ROOT a)\t(ROOT b)\tA \"b\".\tB.\t";
        String prompt = "classify the semantic similarity of the text: A \"b\".\nB.\nresult: ";
        PromptRow train =
                read(GlueTask.MNLI, common + "\tgold_label", texts + "neutral\tentailment").get(0);
        assertRow(train, "2", prompt, "entailment");
        List<PromptRow> dev =
                read(
                        GlueTask.MNLI,
                        common + "\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label",
                        texts + "neutral\tneutral\tneutral\tentailment\tneutral\tneutral",
                        texts + "neutral\tneutral\tneutral\tneutral\tneutral\tcontradiction");
        assertRow(dev.get(0), "2", prompt, "neutral");
        assertThat(dev.get(1).answer()).isEqualTo("contradiction");
        assertThat(GlueTask.MNLI.task().getLabelTexts())
                .containsExactly("entailment", "neutral", "contradiction");
        assertThat(GlueTask.MNLI.task().getPositiveLabel()).isNull();
    }

    @Test
    void testFiles_areRefusedForTheirMissingLabels() {
        assertThatThrownBy(() -> read(GlueTask.SST_2, "index\tsentence", "0\tfine"))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("dev.tsv, line 2", "no \"label\"", "[index, sentence]")
                .hasMessageContaining("test files");
        assertThatThrownBy(() -> read(GlueTask.COLA, "index\tsentence", "0\tfine"))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("dev.tsv, line 1", "2 cells", "test file without labels");
    }

    @Test
    void rows_thatAreWrong_areNamedByLine() {
        String head = "sentence\tlabel";
        assertThatThrownBy(() -> read(GlueTask.SST_2, head, "fine\t1", "odd\t2"))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("line 3", "label \"2\"", "[0, 1]", "sst-2");
        assertThatThrownBy(() -> read(GlueTask.SST_2, head, "fine\t1", "odd"))
                .hasMessageContainingAll("line 3", "1 cells")
                .hasMessageNotContaining("quoted");
        assertThatThrownBy(() -> read(GlueTask.SST_2, "text\tlabel", "fine\t1"))
                .hasMessageContainingAll("line 2", "no \"sentence\"", "[text, label]");
        assertThatThrownBy(() -> read(GlueTask.SST_2, head))
                .hasMessageContainingAll("holds no rows", "[sentence, label] of sst-2");
    }

    @Test
    void of_name_findsTheTask() {
        assertThat(GlueTask.of("SST-2")).isEqualTo(GlueTask.SST_2);
        assertThat(GlueTask.of("rte").task().getName()).isEqualTo("rte");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GlueTask.of("wnli"))
                .withMessageContainingAll("wnli", "sst-2", "mnli");
    }

    @Test
    void officialMetrics_areThoseOfGlue() {
        assertThat(GlueTask.COLA.task().getOfficialMetrics()).containsExactly(Metric.MATTHEWS);
        for (GlueTask task : List.of(GlueTask.MRPC, GlueTask.QQP)) {
            assertThat(task.task().getOfficialMetrics())
                    .containsExactly(Metric.ACCURACY, Metric.F1);
        }
        assertThat(GlueTask.MRPC.task().getPositiveLabel()).isEqualTo("equivalent");
        assertThat(GlueTask.QQP.task().getPositiveLabel()).isEqualTo("duplicate");
        for (GlueTask task : List.of(GlueTask.SST_2, GlueTask.QNLI, GlueTask.MNLI, GlueTask.RTE)) {
            assertThat(task.task().getOfficialMetrics()).containsExactly(Metric.ACCURACY);
        }
    }

    @Test
    void sst2_realFile_isReadWhole() throws IOException {
        Path file = SharedRoot.require("data/glue/SST-2/dev.tsv");
        List<PromptRow> rows = PromptRow.read(file, GlueTask.SST_2.task(), Long.MAX_VALUE);
        assertThat(rows).hasSize(872);
        assertThat(rows.stream().filter(row -> "positive".equals(row.answer()))).hasSize(444);
        assertThat(rows).allMatch(row -> row.prompt().endsWith("\nresult: "));
    }
}
