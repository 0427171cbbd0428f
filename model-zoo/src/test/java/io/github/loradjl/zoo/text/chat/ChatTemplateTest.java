package io.github.loradjl.zoo.text.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The expected texts of expressions and whitespace are those of Jinja 3.1 under transformers'
 * settings.
 */
class ChatTemplateTest {

    private static final List<Map<String, Object>> MESSAGES =
            List.of(
                    Map.of("role", "user", "content", "Hi 🙂"),
                    Map.of("role", "assistant", "content", "Hello"));

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            quoteCharacter = '`',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "{{ 1.0 }} {{ 1e20 }} {{ 0.1+0.2 }} {{ 7/2 }}#1.0 1e+20 0.30000000000000004 3.5",
                "{{ -7//2 }} {{ -7%3 }} {{ 2**-1 }} {{ 2 ** 3 ** 2 }}#-4 2 0.5 64",
                "{{ none }}{{ nobody }}|{{ 3 if false }}|{{ 'a' ~ 1 ~ true }}#None||a1True",
                "{{ [none, \"it's\"] }}{{ (1,) }}{{ {'a': {'b': 1}} }}#[None, \"it's\"](1,){'a':"
                        + " {'b': 1}}",
                "{{ 1 < 2 < 3 }} {{ 1 == true }} {{ '1' == 1 }}#True True False",
                "{{ '' or 'd' }} {{ 1 and 'x' }} {{ not 1 == 2 }}#d x True",
                "{{ 'abc'[::2] }}{{ 'abcdef'[4:1:-1] }}{{ '日本🙂'[1:] | length }}#acedc2",
                "{{ 'a' 'b' }}{{ '\\x41\\u00e9' }}#abAé",
                "{{ ' a  b '.split() }}{{ 'a-b-c'.rsplit('-', 1) }}#['a', 'b']['a-b', 'c']",
                "{{ 'x%sy%d' % ('a', 3) }}{{ '{}-{b}'.format(1, b=2) }}#xay31-2",
                "{% for x in [1,2,3,4] %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 4 %}{%"
                        + " break %}{% endif %}{{ x }}{% endfor %}#13",
                "{% for x in [] %}a{% else %}none{% endfor %}#none",
                "{% set x %} a {% endset %}[{{ x }}]{% set y | upper %}b{% endset %}{{ y }}#[ a ]B",
                "{% macro f(a, b='x)') %}{{ a }}{{ b }}{% endmacro %}{{ f(1) }}{{ f(b=2, a=3)"
                        + " }}#1x)32",
                "{% macro f(a) %}<{{ caller(a) }}>{% endmacro %}{% call(z) f(3) %}in {{ z }}{%"
                        + " endcall %}#<in 3>",
                "{% filter upper | replace('B', 'x') %}abc{% endfilter %}#AxC",
                "{{ messages[0].x is defined }}{{ messages[9] is defined }}{{ messages[0].get('x')"
                        + " is none }}#FalseFalseTrue",
                "a {% if true %} b {% endif %} c#a  b  c",
                "{{- ' a ' -}}   b   {{- 'c' }}# a bc",
                "{{ '%}' }}{% if '%}' %}a{% endif %}{{ \"}}\" }}#%}a}}",
            })
    void render_expression_isPythons(String template, String expected) {
        assertThat(render(template)).isEqualTo(expected);
    }

    @Test
    void render_whitespace_isJinjas() {
        assertThat(render("  {% if true %}\n  x\n  {%- endif %}\n  y")).isEqualTo("  x  y");
        assertThat(render("{# c #}\nx {#- d -#} y\n  {# e #}\nz")).isEqualTo("xy\nz");
        assertThat(render("  {%+ if true %}x{% endif %}")).isEqualTo("  x");
        assertThat(render("{% if true +%}\n x{% endif %}")).isEqualTo("\n x");
        assertThat(render("{% if true %}{# c #}\n\n x{% endif %}")).isEqualTo("\n x");
        assertThat(render("{% if true -%} {# c #} x{% endif %}")).isEqualTo(" x");
        assertThat(render("a {# c -#} \n b{#- d #}\nc")).isEqualTo("a bc");
        assertThat(render("{% raw %}\n{{ a }} {% b %}{% endraw %}\nq"))
                .isEqualTo("\n{{ a }} {% b %}q");
        assertThat(render("x\r\n{% if true -%}\n\n  y\n{%- endif %}\n\nz\n\n"))
                .isEqualTo("x\ny\nz\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            quoteCharacter = '`',
            value = {
                "a\\n{{ nobody.name }}#line 2: 'nobody' is undefined",
                "{{ 'a' + 1 }}#line 1: '+' does not take 'a' and 1",
                "{% set x = [1] %}{{ x.append(2) }}#'append' would change a value",
                "\\n\\n{{ 'a' | nofilter }}#line 3: there is no filter 'nofilter'",
                "{{ 1 is fine }}#there is no test 'fine'",
                "{% unknown %}#Unknown tag: unknown",
                "{% include 'x' %}#the tag 'include' has no place",
                "{% for x in [1] %}a#endfor",
                "{% if %}x{% endif %}#unexpected the end",
                "{{ 'abc }}#has no end",
                "{{ x = 1 }}#unexpected '='",
                "{{ 1 / 0 }}#division by zero",
                "{{ messages[0].content.strip(1, 2) }}#at most 1 arguments",
                "{% for a, b in [1] %}{% endfor %}#1 has no items",
                "{% set x.y = 1 %}#'x.y' can be set only on a namespace",
                "{{ strftime_now('%Q') }}#does not know %Q",
            })
    void render_fault_isNamedWithItsLine(String template, String reason) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> render(template.replace("\\n", "\n")))
                .withMessageStartingWith("Chat template")
                .withMessageContaining(reason);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ messages.class }}",
                "{{ messages.getClass }}",
                "{{ ''.getClass }}",
                "{{ messages[0].role.chars }}",
                "{{ ____int3rpr3t3r____ }}",
                "{{ request }}"
            })
    void render_javaObjects_areOutOfReach(String template) {
        assertThat(render(template)).isEmpty();
    }

    @Test
    void render_javaObject_isRefused() {
        ChatTemplate template = ChatTemplate.of("{{ x }}", Map.of());
        assertThatIllegalArgumentException()
                .isThrownBy(() -> template.render(MESSAGES, false, Map.of("x", folder)))
                .withMessageContaining("takes strings, numbers");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ 'a' * 100000000 }}",
                "{% set n = namespace(x='a' * 1000) %}{% for i in range(99) %}{% set n.x = n.x ~"
                        + " n.x %}{% endfor %}",
                "{{ range(1000000) }}",
                "{% for i in range(99999) %}{{ 'abc' * 1000 }}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{{ ('a' * 10000).replace('a', 'b' * 10000) }}",
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            })
    @Timeout(30)
    void render_excess_isStopped(String template) {
        ChatTemplate bounded = new ChatTemplate(template, Map.of(), Clock.systemUTC(), 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> bounded.render(MESSAGES, false))
                .withMessageMatching("(?s).*(beyond|more than|longer than|after 1 seconds).*");
    }

    @Test
    void of_deepNesting_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> render("{{ " + "(".repeat(100_000) + " }}"))
                .withMessageContaining("nested too deeply");
    }

    @Test
    void render_generationBlocks_areMarked() {
        String text =
                "{% for m in messages %}{% if m.role == 'assistant' %}<{% generation %}"
                        + "{{ m.content }}.{% endgeneration %}>{% else %}{{ m.content }}"
                        + "{% endif %}{% endfor %}";
        ChatTemplate template = ChatTemplate.of(text, Map.of());
        ChatTemplate.Rendered rendered = template.render(MESSAGES, false, Map.of());
        assertThat(template.marksAnswers()).isTrue();
        assertThat(rendered.answers()).hasSize(1);
        ChatTemplate.Span answer = rendered.answers().get(0);
        assertThat(rendered.text().substring(answer.start(), answer.end())).isEqualTo("Hello.");
    }

    @Test
    void render_strftimeNow_isTheDate() {
        Clock clock = Clock.fixed(Instant.parse("2024-07-06T08:09:00Z"), ZoneOffset.UTC);
        String text = "{{ strftime_now('%d %b %Y, %-d %B %y %A %H:%M 100%%') }}";
        assertThat(new ChatTemplate(text, Map.of(), clock, 1).render(MESSAGES, false))
                .isEqualTo("06 Jul 2024, 6 July 24 Saturday 08:09 100%");
    }

    @Test
    void render_nullContent_isNone() {
        Map<String, Object> message = new HashMap<>();
        message.put("content", null);
        assertThat(
                        ChatTemplate.of("{{ messages[0].content is none }}", Map.of())
                                .render(List.of(message), false))
                .isEqualTo("True");
    }

    @Test
    void load_namedTemplatesAndTokensAsObjects_areUnderstood() throws IOException {
        write(
                "tokenizer_config.json",
                "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": null,"
                        + " \"add_bos_token\": true, \"model_max_length\": 1e30,"
                        + " \"chat_template\": [{\"name\": \"tool_use\", \"template\": \"t\"},"
                        + " {\"name\": \"default\", \"template\":"
                        + " \"{{ bos_token }}{{ eos_token is defined }}\"}]}");
        assertThat(ChatTemplate.load(folder).render(MESSAGES, true)).isEqualTo("<s>False");
        write("chat_template.jinja", "{{ bos_token }} own\n");
        assertThat(ChatTemplate.load(folder).render(MESSAGES, true)).isEqualTo("<s> own");
    }

    @Test
    void load_noTemplate_saysWhatToDo() throws IOException {
        assertThatThrownBy(() -> ChatTemplate.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("has no chat template");
        write("tokenizer_config.json", "{\"chat_template\": [{\"name\":\"a\",\"template\":\"\"}]}");
        assertThatThrownBy(() -> ChatTemplate.load(folder))
                .hasMessageContaining("[a]")
                .hasMessageContaining("no \"default\"");
        write("tokenizer_config.json", "{\"chat_template\": \"{{ oops\"}");
        assertThatThrownBy(() -> ChatTemplate.load(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("tokenizer_config.json: Chat template, line 1");
        write("tokenizer_config.json", "[");
        assertThatThrownBy(() -> ChatTemplate.load(folder))
                .hasMessageContaining("is not a JSON object");
    }

    private static String render(String template) {
        return ChatTemplate.of(template, Map.of()).render(MESSAGES, false);
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }
}
