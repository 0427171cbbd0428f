package io.github.loradjl.zoo.text.chat;

import io.github.loradjl.zoo.text.chat.Lexer.Kind;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Reads Jinja's expressions, loosest operator first: {@code a if b else c}, or, and, not,
 * comparisons, {@code + -}, {@code ~}, {@code * / // %}, {@code **}, signs. One method per level.
 */
final class ExpressionParser extends TermParser {

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    ExpressionParser(String source) {
        super(source);
    }

    /** Reads an expression that is all there is. */
    static Expression parse(String source) {
        ExpressionParser parser = new ExpressionParser(source);
        Expression expression = parser.tuple();
        parser.end();
        return expression;
    }

    /** {@inheritDoc} */
    @Override
    Expression tuple() {
        Expression first = expression();
        if (!token().is(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (accept(",")) {
            if (token().kind() == Kind.END || token().is(")") || token().is("=")) {
                break;
            }
            items.add(expression());
        }
        return tuple(items);
    }

    /** {@inheritDoc} */
    @Override
    Expression expression() {
        Expression value = or();
        while (accept("if")) {
            Expression chosen = value;
            Expression condition = or();
            Expression otherwise = accept("else") ? expression() : scope -> new Undefined("else");
            value =
                    scope ->
                            Values.truth(condition.evaluate(scope))
                                    ? chosen.evaluate(scope)
                                    : otherwise.evaluate(scope);
        }
        return value;
    }

    /** Reads an expression without a choice, as before the condition of a loop. */
    Expression or() {
        Expression value = and();
        while (accept("or")) {
            Expression left = value;
            Expression right = and();
            value =
                    scope -> {
                        Object first = left.evaluate(scope);
                        return Values.truth(first) ? first : right.evaluate(scope);
                    };
        }
        return value;
    }

    private Expression and() {
        Expression value = not();
        while (accept("and")) {
            Expression left = value;
            Expression right = not();
            value =
                    scope -> {
                        Object first = left.evaluate(scope);
                        return Values.truth(first) ? right.evaluate(scope) : first;
                    };
        }
        return value;
    }

    private Expression not() {
        if (accept("not")) {
            Expression value = not();
            return scope -> !Values.truth(value.evaluate(scope));
        }
        return comparison();
    }

    private Expression comparison() {
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> operands = new ArrayList<>();
        while (true) {
            if (token().kind() == Kind.OPERATOR && COMPARISONS.contains(token().text())) {
                operators.add(next().text());
            } else if (accept("in")) {
                operators.add("in");
            } else if (token().is("not") && following().is("in")) {
                next();
                next();
                operators.add("not in");
            } else {
                break;
            }
            operands.add(sum());
        }
        if (operators.isEmpty()) {
            return first;
        }
        return scope -> {
            Object left = first.evaluate(scope);
            for (int i = 0; i < operators.size(); i++) {
                Object right = operands.get(i).evaluate(scope);
                if (!holds(operators.get(i), left, right)) {
                    return false;
                }
                left = right;
            }
            return true;
        };
    }

    static boolean holds(String operator, Object left, Object right) {
        return switch (operator) {
            case "==" -> Values.equal(left, right);
            case "!=" -> !Values.equal(left, right);
            case "<" -> Values.compare(left, right) < 0;
            case "<=" -> Values.compare(left, right) <= 0;
            case ">" -> Values.compare(left, right) > 0;
            case ">=" -> Values.compare(left, right) >= 0;
            case "in" -> Values.contains(right, left);
            default -> !Values.contains(right, left);
        };
    }

    private Expression sum() {
        Expression value = concatenation();
        while (token().is("+") || token().is("-")) {
            String operator = next().text();
            value = binary(operator, value, concatenation());
        }
        return value;
    }

    private Expression concatenation() {
        Expression value = product();
        while (accept("~")) {
            Expression left = value;
            Expression right = product();
            value =
                    scope ->
                            Values.add(
                                    Values.text(left.evaluate(scope)),
                                    Values.text(right.evaluate(scope)));
        }
        return value;
    }

    private Expression product() {
        Expression value = power();
        while (token().is("*") || token().is("/") || token().is("//") || token().is("%")) {
            String operator = next().text();
            value = binary(operator, value, power());
        }
        return value;
    }

    private Expression power() {
        Expression value = unary(true);
        while (accept("**")) {
            value = binary("**", value, unary(true));
        }
        return value;
    }

    private static Expression binary(String operator, Expression left, Expression right) {
        return scope -> {
            scope.rendering().step();
            Object one = left.evaluate(scope);
            Object other = right.evaluate(scope);
            return switch (operator) {
                case "+" -> Values.add(one, other);
                case "*" -> Values.multiply(one, other);
                case "%" ->
                        one instanceof String text
                                ? TextFormat.percent(text, other)
                                : Values.arithmetic(operator, one, other);
                default -> Values.arithmetic(operator, one, other);
            };
        };
    }

    private Expression unary(boolean filtered) {
        Expression value;
        if (accept("-")) {
            Expression positive = unary(false);
            value = scope -> Values.arithmetic("-", 0L, positive.evaluate(scope));
        } else if (accept("+")) {
            Expression same = unary(false);
            value = scope -> Values.arithmetic("+", 0L, same.evaluate(scope));
        } else {
            value = postfix(primary());
        }
        return filtered ? filters(value) : value;
    }
}
