"""Checks of expressions where they stand: names, types, values that may be missing (LANGUAGE C10, C11)."""

from collections.abc import Iterator

from ivr.engine.expressions.check import check_guard, check_text, infer
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.types import TEXT, Type
from ivr.engine.naming import normal
from ivr.engine.variables import Misfit, fit
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.known import NOTHING, Known, Scene, known_of
from ivr.flowfile.checks.names import EVENT_FIELDS, FACTS, GIVING_WAY, LATER
from ivr.flowfile.checks.variable_types import misfit, what_fits
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding
from ivr.flowfile.texts import Use, compiled, uses
from ivr.flowfile.validate import NOT_YET
from ivr.flowfile.variables import SETTABLE
from ivr.nearest import did_you_mean

UNDEFINED = Check(
    "undefined",
    "error",
    "A name that means nothing there.",
    group="Values",
    bad="""
start: {say: "You call from {{ call.form }}.", next: bye}
""",
    good="""
start: {say: "You call {{ call.to }}.", next: bye}
""",
)

FILTER = Check(
    "filter",
    "error",
    "A filter that there is not.",
    group="Values",
    bad="""
start: {say: "It is {{ now | tme }}.", next: bye}
""",
    good="""
start: {say: "It is {{ now | time }}.", next: bye}
""",
)

STATEMENT = Check(
    "statement",
    "error",
    "{% %} in a text: guards and branches do its work.",
    group="Values",
    bad="""
start: {say: "Hello{% if call.from %} again{% endif %}.", next: bye}
""",
    good="""
start: {say: [Hello., {guard: call.from, text: Good to hear you again.}], next: bye}
""",
)

EXPRESSION = Check(
    "expression",
    "error",
    "An expression that cannot be read.",
    group="Values",
    bad="""
start: {decide: [{guard: call.from ==, target: bye}, bye]}
""",
    good="""
start: {decide: [{guard: call.from == call.to, target: bye}, bye]}
""",
)

UNSET = Check(
    "unset",
    "error",
    "A variable is read that may have no value there.",
    group="Values",
    bad="""
start:
  menu: {prompt: To key it press 1. To go on press 2., choices: {key_it: {dtmf: "1"}, go: {dtmf: "2"}}}
  on: {key_it: ask, go: thanks}
ask:
  digits: {prompt: Key your number., into: number}
  next: thanks
thanks: {say: "Your number is {{ number | digits }}.", next: bye}
""",
    good="""
start:
  menu: {prompt: To key it press 1. To go on press 2., choices: {key_it: {dtmf: "1"}, go: {dtmf: "2"}}}
  on: {key_it: ask, go: bye}
ask:
  digits: {prompt: Key your number., into: number}
  next: thanks
thanks: {say: "Your number is {{ number | digits }}.", next: bye}
""",
)

MAY_BE_NULL = Check(
    "may-be-null",
    "error",
    "A value that may be none would be spoken or calculated with.",
    group="Values",
    bad="""
start: {say: "You call from {{ call.from }}.", next: bye}
""",
    good="""
start: {say: "You call from {{ call.from or 'a withheld number' }}.", next: bye}
""",
)

FORMAT = Check(
    "format",
    "warning",
    "A date, a time or a decimal is spoken without a form.",
    group="Dialogue",
    bad="""
start: {say: "It is {{ now }}.", next: bye}
""",
    good="""
start: {say: "It is {{ now | time }}.", next: bye}
""",
)


WITHOUT_FORM = frozenset({"date", "time", "datetime", "decimal"})
"Types that are spoken as figures, unless a filter gives them a form."


MOST = 50
"Errors in expressions that are told; nobody reads more, and each is compared with all that was perhaps meant."
_NOT_THERE_EITHER = frozenset(did_you_mean(name, [name]) for name in LATER)
"Suggestions that would lead to words that are not there yet."
KNOWN_ELSEWHERE = {
    **dict.fromkeys(EVENT_FIELDS, 'Only the transition of its event knows it: keep it there with "set", or by "into".'),
    "key": "Only the prompt of a choice knows it.",
}


@UNDEFINED.finder
def expressions(document: Document) -> Iterator[Finding]:
    """Check every expression where it stands."""
    known = known_of(document)
    errors = 0
    for use in uses(document):
        if errors >= MOST:
            return
        for found in _of_use(document, known, use):
            errors += found.is_error
            yield found


def _of_use(document: Document, known: Known, use: Use) -> Iterator[Finding]:
    what = compiled(use.text, bare=use.role == "guard")
    if isinstance(what, ExpressionError):
        yield _finding(document, use, what)
        return
    yield from _later(document, use, what)
    yield from _in_scene(document, known, use, what)


def _later(document: Document, use: Use, what: Expression | Template) -> Iterator[Finding]:
    """Find facts that are not there yet."""
    for expression in what.expressions if isinstance(what, Template) else (what,):
        for name in sorted({path.partition(".")[0] for path in expression.names} & set(LATER)):
            node = expression.node
            mark = document.source.within(use.path, node.start, node.end - node.start)
            yield document.source.finding("not-yet", "error", mark, f'"{name}" is not there yet.', NOT_YET)


def _in_scene(document: Document, known: Known, use: Use, what: Expression | Template) -> Iterator[Finding]:
    if any(name in use.text for name in known.odd_names):
        return  # `patient-name` is no name, which has been told, and here it is a subtraction
    scene = known.scene(use)
    if isinstance(what, Expression):
        errors = check_guard(what, scene.env)
    elif use.role == "text":
        errors = check_text(what, scene.env)
        yield from _unformed(document, use, what, scene)
    else:
        given, errors = infer(what, scene.env)
        if not errors:
            yield from _stored(known, scene, use, what, given)
    for error in errors:
        yield _finding(document, use, error, known, scene)


def _finding(
    document: Document, use: Use, error: ExpressionError, known: Known | None = None, scene: Scene | None = None
) -> Finding:
    mark = document.source.within(use.path, error.offset, error.length)
    name = normal(use.text[error.offset : error.offset + error.length])
    if error.code == "undefined" and scene is not None and known is not None and name in scene.unset:
        message = f'"{name}" may have no value here.'
        return document.source.finding("unset", "error", mark, message, _transition_without(known, name, use))
    advice = KNOWN_ELSEWHERE.get(name, error.suggestion) if error.code == "undefined" else error.suggestion
    advice = "" if advice in _NOT_THERE_EITHER else advice
    return document.source.finding(error.code, "error", mark, error.message, advice)


def _transition_without(known: Known, variable: str, use: Use) -> str:
    """Show the shortest way to a use on which its variable is never set."""
    advice = 'Set it before, or give it a "default".'
    shortest: dict[str, tuple[str, ...]] = {known.document.begins: (known.document.begins,)}
    waiting = [known.document.begins]
    for name in waiting:  # grows while it is gone through
        if name == use.state:
            return f"On the way {' → '.join(shortest[name])} nothing sets it. {advice}"
        for target, facts in known.leaving(name, NOTHING):
            if target not in shortest and not known.knows(variable, facts):
                shortest[target] = (*shortest[name], target)
                waiting.append(target)
    return advice


def _unformed(document: Document, use: Use, template: Template, scene: Scene) -> Iterator[Finding]:
    """Find what is spoken as bare figures."""
    for expression in template.expressions:
        type_, errors = infer(expression, scene.env)
        if not errors and type_.name in WITHOUT_FORM:
            mark = document.source.within(use.path, expression.node.start, expression.node.end - expression.node.start)
            filter_ = "number" if type_.name == "decimal" else type_.name
            message, advice = f"A {type_.name} is spoken here without a form.", f'Write "… | {filter_}".'
            yield document.source.finding("format", "warning", mark, message, advice)


def _no_variable(document: Document, known: Known, use: Use) -> Iterator[Finding]:
    if use.variable in {*FACTS, *GIVING_WAY}:
        message = f'"{use.variable}" is a fact, and cannot be set.'
        yield document.finding("undefined", use.path, message, f"Facts to set: {', '.join(SETTABLE)}.", key=True)
    elif use.variable not in known.constant:  # else it is declared, if not well, which has been told
        advice = did_you_mean(use.variable, known.variables) or 'Declare it under "variables".'
        yield document.finding("undefined", use.path, f'No variable is called "{use.variable}".', advice, key=True)


def _stored(known: Known, scene: Scene, use: Use, template: Template, given: Type) -> Iterator[Finding]:
    """Check what `set` stores."""
    document = known.document
    if use.variable in SETTABLE:
        if given.name not in {"text", "any"} or given.optional:
            yield document.finding("type", use.path, f'"{use.variable}" is a text, not {given}.')
        return
    variable = known.variables.get(use.variable)
    if variable is None:
        yield from _no_variable(document, known, use)
        return
    if (
        template.padded is not None
        and variable.type.name != "text"
        and infer(template.padded, known.declared)[0] != TEXT
    ):
        message = "White space around {{ }} makes a text of this value."
        yield document.finding("type", use.path, message, "Delete it.")
    elif template.literal:
        try:
            fit(template.source, variable)
        except Misfit:
            message = f'"{template.source}" does not fit "{use.variable}".'
            yield document.finding("type", use.path, message, what_fits(variable))
    elif given.optional and not variable.type.optional and given.name != "any":
        message = f'This may be none, and "{use.variable}" needs a value.'
        yield document.finding("may-be-null", use.path, message, 'Write "… or …", or give it "default: none".')
    elif (mistake := misfit(template, given, variable, scene.env)) is not None:
        yield document.finding("type", use.path, mistake.message, mistake.suggestion)
