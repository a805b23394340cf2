"""What the language has, what it refuses, and what an author is told: code, place and words to the letter."""

import pytest
from jinja2 import nodes

from ivr.engine.expressions import check, narrow, parse, proof, tree
from ivr.engine.expressions.compile import compile_expression, compile_template, runner
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.lexer import Tokens

# source, what is underlined, code, message with suggestion
PLURAL = (
    'The filter "plural" takes texts by name, "other" among them, such as '
    "plural(one='a message', other='# messages')."
)
REFUSED = [
    # the ways out of Jinja2's sandbox, and the ways to hold it up
    (
        "x.__class__",
        "__class__",
        "expression",
        '"__class__" is not a name: write a letter, then letters, digits or "_".',
    ),
    (
        "x.__init__.__globals__",
        "__init__",
        "expression",
        '"__init__" is not a name: write a letter, then letters, digits or "_".',
    ),
    ("_x", "_x", "expression", '"_x" is not a name: write a letter, then letters, digits or "_".'),
    ("x | attr('real')", "attr", "filter", 'Unknown filter "attr".'),
    ("'%s' | format(x)", "format", "filter", 'Unknown filter "format".'),
    ("items | random", "random", "filter", 'Unknown filter "random".'),
    ("items | map.x('y')", "map.x", "filter", 'Unknown filter "map.x".'),
    ("9 ** 9 ** 9", "**", "expression", "Powers are not supported."),
    ("'a' * 10 ** 9", "10", "expression", "Powers are not supported."),
    ("range(3)", "(", "expression", "Functions cannot be called."),
    ("lipsum()", "(", "expression", "Functions cannot be called."),
    ("cycler(1, 2)", "(", "expression", "Functions cannot be called."),
    ("upper(x)", "(", "expression", 'Functions cannot be called. Write "… | upper".'),
    ("x.format(y)", "(", "expression", "Functions cannot be called."),
    ("x is none(1)", "(", "expression", "Functions cannot be called."),
    ("''.join", ".", "expression", "Only a name, or a field or an item of one, has fields and items."),
    ("(1).real", ".", "expression", "Only a name, or a field or an item of one, has fields and items."),
    ("'abc'[0]", "[", "expression", "Only a name, or a field or an item of one, has fields and items."),
    # the rest of Jinja2 that was left out
    ("[1, 2]", "[", "expression", 'A list is only possible after "in".'),
    ("x in [1, 2] == y", "[", "expression", 'A list is only possible after "in".'),
    ("x in []", "[", "expression", "The list is empty. Write what can be in it."),
    ("(1, 2)", ",", "expression", 'A list is written in [ ], and is only possible after "in".'),
    ("x in (1, 2)", ",", "expression", 'A list is written in [ ], and is only possible after "in".'),
    ("{'a': 1}", "{", "expression", "An object cannot be written here."),
    ("x[1:2]", "1", "expression", "Only one item can be taken."),
    ("x[1, 2]", "[", "expression", 'A list is written in [ ], and is only possible after "in".'),
    (
        "30 days",
        "days",
        "expression",
        '"days" can only follow "+" or "-". Write, for example, "now + 2 days".',
    ),
    (
        "x - 2 * 7 days",
        "days",
        "expression",
        '"days" can only follow "+" or "-". Write, for example, "now + 2 days".',
    ),
    (
        "x + 2 months",
        "months",
        "expression",
        '"months" is not expected here. Months differ in length: write weeks or days.',
    ),
    (
        "x + 30 days | date",
        "date",
        "expression",
        '"date" would be applied before the sum. Write "(… + … days) | date".',
    ),
    ("x + 30d", "d", "expression", '"d" is not expected here. Write "days".'),
    ("x + 30 seconds", "seconds", "expression", '"seconds" is not expected here. Write minutes.'),
    ("days if x days", "days", "expression", '"if" needs an "else" here.'),
    ("+x", "+", "expression", 'A number must not have "+" before it.'),
    ("x is defined", "is", "expression", 'Unknown test "is defined". Write "is none" or "is not none".'),
    (
        "x is not divisibleby(2)",
        "is",
        "expression",
        'Unknown test "is divisibleby". Write "is none" or "is not none".',
    ),
    ("x if y", "x", "expression", '"if" needs an "else" here.'),
    ("x == None", "None", "expression", '"None" is not part of the language. Write "none".'),
    ("True", "True", "expression", '"True" is not part of the language. Write "true".'),
    ("False", "False", "expression", '"False" is not part of the language. Write "false".'),
    ("x == not", "not", "expression", '"not" is not expected here.'),
    # numbers and texts
    ("1_000", "1_000", "expression", '"1_000" is not a number: write digits, with at most one point between them.'),
    ("0x10", "0x10", "expression", '"0x10" is not a number: write digits, with at most one point between them.'),
    ("1e5", "1e5", "expression", '"1e5" is not a number: write digits, with at most one point between them.'),
    ("9999999999999999999", "9999999999999999999", "expression", "A number has at most 18 digits."),
    ("'\\d'", "\\d", "expression", r"""The text contains "\d". Write "\\" for "\"."""),
    ("'a' ~ 'b", "'", "expression", "The text has no closing quote."),
    ('x == "a', '"', "expression", "The text has no closing quote."),
    # slips of the pen
    ("", "", "expression", "The expression is empty."),
    ("x +", "+", "expression", "The expression is not finished."),
    ("x is", "is", "expression", "The expression is not finished."),
    ("(x", "x", "expression", "The expression is not finished."),
    ("x)", ")", "expression", '")" is not expected here.'),
    ("(x]", "]", "expression", '"]" is not expected here.'),
    ("x y", "y", "expression", '"y" is not expected here.'),
    ("x = 1", "=", "expression", '"=" is not expected here. To compare, write "==".'),
    ("x && y", "&", "expression", '"&" is not expected here. Write "and".'),
    ("x || y", "|", "expression", '"|" is not expected here. Write "or".'),
    ("!x", "!", "expression", '"!" is not expected here. Write "not".'),
    ("x ? 1 : 2", "?", "expression", '"?" is not expected here. Write "a if b else c".'),
    ("x }} y", "}}", "expression", '"}}" is not expected here.'),
    ("x -}}", "-}}", "expression", '"-}}" is not expected here.'),
    (" {{ x }}", "{{", "expression", 'This is an expression already, without "{{ }}". Delete the braces.'),
    ("x\x00", "\x00", "expression", r"The text contains the character '\x00'."),
    ("'\ud800'", "\ud800", "expression", r"The text contains the character '\ud800'."),
    # filters
    ("x | uper", "uper", "filter", 'Unknown filter "uper". Did you mean "upper"?'),
    ("x | " + "a" * 61, "a" * 61, "filter", f'Unknown filter "{"a" * 61}".'),
    ("x | money", "money", "filter", "The filter \"money\" takes the code of a currency, such as money('EUR')."),
    ("x | money('eur')", "money", "filter", "The filter \"money\" takes the code of a currency, such as money('EUR')."),
    ("x | money(y)", "money", "filter", "The filter \"money\" takes the code of a currency, such as money('EUR')."),
    ("x | money(*y)", "money", "filter", "The filter \"money\" takes the code of a currency, such as money('EUR')."),
    (
        "x | money('EUR', **y)",
        "money",
        "filter",
        "The filter \"money\" takes the code of a currency, such as money('EUR').",
    ),
    ("x | plural", "plural", "filter", PLURAL),
    ("x | plural('a', 'b')", "plural", "filter", PLURAL),
    ("x | plural(one='a')", "plural", "filter", PLURAL),
    ("x | plural(one='a', others='b')", "plural", "filter", PLURAL),
    ("x | plural(one=1.5, other='b')", "plural", "filter", PLURAL),
    ("x | telephone(1)", "telephone", "filter", 'The filter "telephone" takes no arguments.'),
    ("x | upper(1)", "upper", "filter", 'The filter "upper" takes no arguments.'),
    ("x | round(n)", "round", "filter", 'The filter "round" takes one whole number from 0 to 9.'),
    ("x | round(10)", "round", "filter", 'The filter "round" takes one whole number from 0 to 9.'),
    ("x | round(true)", "round", "filter", 'The filter "round" takes one whole number from 0 to 9.'),
    ("x | round(1, 2)", "round", "filter", 'The filter "round" takes one whole number from 0 to 9.'),
    ("x | round(n=1)", "round", "filter", 'The filter "round" takes one whole number from 0 to 9.'),
    ("x | round(*n)", "round", "filter", 'The filter "round" takes one whole number from 0 to 9.'),
    ("x | round(**n)", "round", "filter", 'The filter "round" takes one whole number from 0 to 9.'),
    ("x | 5", "5", "expression", '"5" is not expected here.'),
    # too much of it
    ("(" * 21 + "x" + ")" * 21, "(", "expression", "More than 20 brackets inside each other."),
    ("x" + " + x" * 100, "x", "expression", "The expression is too long: more than 200 words and signs."),
    ("not " * 5000, "not", "expression", "The text is longer than 10000 characters."),
]


@pytest.mark.parametrize(("source", "marked", "code", "words"), REFUSED)
def test_what_the_language_lacks_is_refused_with_its_place(source: str, marked: str, code: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    error = caught.value
    assert (error.code, str(error)) == (code, words)
    if len(source) <= 10_000:
        assert source[error.offset : error.offset + error.length] == marked


@pytest.mark.parametrize(
    ("source", "marked", "code", "words"),
    [
        ("{% if x %}a{% endif %}", "{% if x %}", "statement", "Statements are not supported. Use guards and branches."),
        (
            "a {% set {{ x }} %}",
            "{% set {{ x }} %}",
            "statement",
            "Statements are not supported. Use guards and branches.",
        ),
        ("{{ x }} {%- raw %}", "{%- raw %}", "statement", "Statements are not supported. Use guards and branches."),
        ("a {{ x", "{{", "expression", 'This "{{" is never closed.'),
        ("a {{ }} b", " ", "expression", "The expression is empty."),
        ("a {{ x -}} b", "-}}", "expression", '"-}}" is not expected here.'),
        ("a {{ x } }", "}", "expression", '"}" is not expected here.'),
        ("a {{ (x }} b", "}", "expression", '"}" is not expected here.'),
        ("one {{ a }}, two {{ b | uper }}", "uper", "filter", 'Unknown filter "uper". Did you mean "upper"?'),
        ("line\r\n{{ x y }}", "y", "expression", '"y" is not expected here.'),
        (
            "{{ x.__class__ }}",
            "__class__",
            "expression",
            '"__class__" is not a name: write a letter, then letters, digits or "_".',
        ),
    ],
)
def test_a_mistake_in_a_text_is_told_with_its_place(source: str, marked: str, code: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(source)
    error = caught.value
    assert (error.code, str(error)) == (code, words)
    assert source[error.offset : error.offset + error.length] == marked


@pytest.mark.parametrize(
    "source",
    ["{#5 percent off", "{# no comment #}", "100{% more", "%} {%", "a } b }} c", "# line", "{ x }", "a {% b"],
)
def test_signs_of_other_languages_are_only_text(source: str) -> None:
    template = compile_template(source)
    assert template.literal
    assert template.text({}) == source


@pytest.mark.parametrize(
    "source",
    ["{{" * 5000, "{{x}}" * 2000, "{% {{x}}" * 1200, "{{ '" + "a" * 9000, "{% " * 3300, "-" * 9999, "[" * 9999],
)
def test_a_hostile_source_is_read_or_refused_in_bounded_time(source: str) -> None:
    # No clock here: without limits these end in RecursionError, or do not end while anybody waits.
    for read in (compile_expression, compile_template):
        try:
            outcome = read(source).source
        except ExpressionError as error:
            outcome = error.message
        assert outcome


def test_the_longest_expressions_allowed_are_evaluated() -> None:
    for source, value in [
        ("not " * 199 + "x", False),
        ("-" * 199 + "x", -1),
        ("x" + " + x" * 99, 100),
        ("(" * 20 + "x" + ")" * 20, 1),
        ("x if x else " * 49 + "x", 1),
    ]:
        assert compile_expression(source).value({"x": 1}) == value


def test_every_node_has_its_rules() -> None:
    kinds = set(tree.Node.__subclasses__()) - {tree.Compared}
    for kind in kinds:
        assert runner.dispatch(kind) is not runner.dispatch(tree.Node), kind
        assert check._type_of.dispatch(kind) is not check._type_of.dispatch(tree.Node), kind
    with pytest.raises(TypeError, match="no rule for Node"):
        runner(tree.Node(0, 0))
    with pytest.raises(TypeError, match="no rule for Node"):
        check._type_of(tree.Node(0, 0), proof.Proof({}))
    assert narrow.proved(tree.Constant(0, 1, True), True) == frozenset()


def test_only_named_nodes_of_the_parser_are_translated() -> None:
    # A class of Jinja2 that is on no list is refused, not guessed at; ContextReference stands for all of them.
    translator = parse._Translator(Tokens("x", 0, inside=False))
    with pytest.raises(ExpressionError, match="This is not part of the language"):
        translator.translate(nodes.ContextReference(lineno=0))


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("call.from", {"call.from"}),
        ("visits.main <= 3 and not issue.transcript", {"visits.main", "issue.transcript"}),
        ("a.b['c'].d ~ e['x.y'].z", {"a.b.c.d", "e"}),
        ("items[n].name", {"items", "n"}),
        ("-a + b | round(2) if c is none else (d or e)", {"a", "b", "c", "d", "e"}),
        ("1 < a < b", {"a", "b"}),
        ("'a' ~ 1", set()),
    ],
)
def test_what_is_read_is_known_beforehand(source: str, names: set[str]) -> None:
    assert compile_expression(source).names == names
    assert compile_template("x {{ " + source + " }} {{ z }}").names == names | {"z"}


def test_an_expression_tells_where_it_stands() -> None:
    template = compile_template("Hello {{ name }}, {{ count + 1 }} times")
    assert [template.source[part.offset :][:8] for part in template.expressions] == ["{{ name ", "{{ count"]
    assert repr(template.expressions[1]) == "Expression('count + 1')"
    assert repr(template) == "Template('Hello {{ name }}, {{ count + 1 }} times')"
    assert repr(compile_expression("x is not none")) == "Expression('x is not none')"
    assert repr(compile_expression("not x['a'] | upper")) == "Expression(\"not x['a'] | upper\")"
