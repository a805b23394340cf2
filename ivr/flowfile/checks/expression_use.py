"""Checks of expressions where they stand: names, types, values that may be missing (LANGUAGE C10, C11)."""

from collections.abc import Collection, Iterator, Sequence

from ivr.engine.actions.sign_in import FACTS as SIGN_IN_FACTS
from ivr.engine.expressions.check import check_guard, check_text, infer
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.types import TEXT, Type
from ivr.engine.flow import Variable
from ivr.engine.naming import USER, normal
from ivr.engine.scope import SETTABLE
from ivr.engine.variables import Misfit, fit
from ivr.flowfile.checks.declaration import CHECKS, Check
from ivr.flowfile.checks.known_variables import NOTHING, Known, Scene, known_of
from ivr.flowfile.checks.names import EVENT_FIELDS, FACTS, GIVING_WAY
from ivr.flowfile.checks.variable_types import TYPE, misfit, not_valid
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.model_parts import Read
from ivr.flowfile.texts import Use, compiled, uses
from ivr.nearest import did_you_mean

UNDEFINED = Check(
    "undefined",
    "error",
    "Unknown name.",
    group="Values",
    fixable=True,
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
    "Unknown filter.",
    group="Values",
    fixable=True,
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
    "{% %} is not supported in a text; use guards and branches.",
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
    "Invalid expression.",
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
    "A variable is read where it may have no value.",
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
    "A value that may be none is spoken, stored or used in a calculation.",
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
    "A date, a time or a decimal is spoken without a format.",
    group="Dialogue",
    bad="""
start: {say: "It is {{ now }}.", next: bye}
""",
    good="""
start: {say: "It is {{ now | time }}.", next: bye}
""",
)


@UNSET.message
def _may_have_no_value(name: str, states: Sequence[str]) -> Text:
    advice = 'Set it before, or add a "default".'
    found = f"It is not set on the path {' → '.join(states)}. " if states else ""
    return f'"{name}" may have no value here.', f"{found}{advice}"


@UNDEFINED.message
def _fact_cannot_be_set(name: str) -> Text:
    return f'"{name}" is a fact and cannot be set.', f"Facts that can be set: {', '.join(SETTABLE)}."


@UNDEFINED.message
def _not_a_variable_of(flow: str, name: str, names: Sequence[str]) -> Text:
    advice = did_you_mean(name, names) or f'Declare it under "variables" of "{flow}".'
    return f'The flow "{flow}" has no variable "{name}".', advice


@UNDEFINED.message
def _no_such_variable(name: str, variables: Collection[str]) -> Text:
    return f'No variable is called "{name}".', did_you_mean(name, variables) or 'Declare it under "variables".'


@FORMAT.message
def _no_format(type_name: str, filter_name: str) -> Text:
    return f"A {type_name} is spoken here without a format.", f'Write "… | {filter_name}".'


@TYPE.message
def _text_needed(name: str, type_name: str) -> Text:
    return f'"{name}" must be a text, not {type_name}.', ""


@TYPE.message
def _spaces_around() -> Text:
    return "The spaces around {{ }} turn this value into a text.", "Delete them."


@MAY_BE_NULL.message
def _may_be_none(variable: str) -> Text:
    return f'This may be none, but "{variable}" needs a value.', 'Write "… or …", or declare it with "default: none".'


WITHOUT_FORM = frozenset({"date", "time", "datetime", "decimal"})
"Types that are spoken as digits, unless a filter formats them."


MOST = 50
"Errors in expressions that are shown; more are not read, and each is compared with all that was perhaps meant."
KNOWN_ELSEWHERE = {
    **dict.fromkeys(
        EVENT_FIELDS, 'It is known only in the transition of its event: store it there with "set", or with "into".'
    ),
    "key": "It is known only in the prompt of a choice.",
    SIGN_IN_FACTS: "It is known only in the prompts of a signIn.",
    USER: f'Write {USER}.NAME, and declare that under "variables".',
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
    what = compiled(use.text, bare=use.is_bare)
    if isinstance(what, ExpressionError):
        yield _finding(document, use, what)
        return
    yield from _in_scene(document, known, use, what)


def _in_scene(document: Document, known: Known, use: Use, what: Expression | Template) -> Iterator[Finding]:
    if any(name in use.text for name in known.odd_names):
        return  # `patient-name` is not a name, as another check says, and here it is a subtraction
    scene = known.scene(use)
    if isinstance(what, Expression):
        errors = check_guard(what, scene.env) if use.role == "guard" else infer(what, scene.env)[1]
    elif use.role == "given":
        given, errors = infer(what, scene.env)
        if not errors:
            yield from _given(known, use, what, given)
    elif use.read is not None and use.read.takes is not None:
        errors = _unsendable(what, scene, use.read, use.read.takes)
    elif use.role in {"text", "sent"}:
        errors = check_text(what, scene.env)
        if use.role == "text":
            yield from _unformed(document, use, what, scene)
    else:
        given, errors = infer(what, scene.env)
        if not errors:
            yield from _stored(known, use, what, given)
    for error in errors:
        yield _finding(document, use, error, known, scene)


def _unsendable(template: Template, scene: Scene, read: Read, takes: frozenset[str]) -> list[ExpressionError]:
    """Return the mistakes of what is sent to a service."""
    if template.single is None:
        return check_text(template, scene.env)
    given, errors = infer(template, scene.env)
    if errors or given.name == "any":
        return errors
    node = template.single.node
    place = node.start, node.end - node.start
    if given.optional and not read.may_be_none:
        return check_text(template, scene.env)
    if given.name != "none" and given.name not in takes:
        return [ExpressionError("type", f"This is {given}, which cannot be sent here.", *place, "Send a field of it.")]
    return []


def _finding(
    document: Document, use: Use, error: ExpressionError, known: Known | None = None, scene: Scene | None = None
) -> Finding:
    place = error.offset, error.offset + error.length
    name = normal(use.text[slice(*place)])
    if error.code == "undefined" and scene is not None and known is not None and name in scene.unset:
        return document.finding_within(_may_have_no_value(name, _path_without(known, name, use)), use.path, *place)
    advice = KNOWN_ELSEWHERE.get(name, error.suggestion) if error.code == "undefined" else error.suggestion
    is_sure = error.meant is not None and advice == error.suggestion
    fix = (
        document.source.replacing_within(use.path, place[0], use.text[slice(*place)], str(error.meant))
        if is_sure
        else None
    )
    return document.finding_within(CHECKS[error.code].problem(error.message, advice), use.path, *place, fix=fix)


def _path_without(known: Known, variable: str, use: Use) -> Sequence[str]:
    """Return the states of the shortest path to a use on which its variable is never set; empty: none is known."""
    shortest: dict[str, tuple[str, ...]] = {known.document.begins: (known.document.begins,)}
    waiting = [known.document.begins]
    for name in waiting:  # grows while it is gone through
        if name == use.state:
            return shortest[name]
        for target, facts in known.leaving(name, NOTHING):
            if target not in shortest and not known.knows(variable, facts):
                shortest[target] = (*shortest[name], target)
                waiting.append(target)
    return ()


def _unformed(document: Document, use: Use, template: Template, scene: Scene) -> Iterator[Finding]:
    """Find what is spoken as bare digits."""
    for expression in template.expressions:
        type_, errors = infer(expression, scene.env)
        if not errors and type_.name in WITHOUT_FORM:
            problem = _no_format(type_.name, "number" if type_.name == "decimal" else type_.name)
            yield document.finding_within(problem, use.path, expression.node.start, expression.node.end)


def _no_variable(document: Document, known: Known, use: Use) -> Iterator[Finding]:
    if use.variable in {*FACTS, *GIVING_WAY}:
        yield document.finding(_fact_cannot_be_set(use.variable), use.path, key=True)
    elif use.variable not in known.constant:  # else its declaration is the mistake, as another check says
        fix = document.source.renaming(use.path, use.variable, known.variables, key=True)
        yield document.finding(_no_such_variable(use.variable, known.variables), use.path, key=True, fix=fix)


def _stored(known: Known, use: Use, template: Template, given: Type) -> Iterator[Finding]:
    """Check what `set` stores."""
    document = known.document
    if use.variable in SETTABLE:
        if given.name not in {"text", "any"} or given.optional:
            yield document.finding(_text_needed(use.variable, str(given)), use.path)
        return
    variable = known.variables.get(use.variable)
    if variable is None:
        yield from _no_variable(document, known, use)
        return
    yield from _fitting(known, use, template, given, variable)


def _given(known: Known, use: Use, template: Template, given: Type) -> Iterator[Finding]:
    """Check what an invoked flow is given; what is given to somebody else can be anything."""
    invoke = known.document.model.states[use.state].invoke if use.state is not None else None
    if invoke is None or invoke.invoked is None:
        return
    name, there = str(use.path[-1]), invoke.invoked.variables
    if name not in there:
        fix = known.document.source.renaming(use.path, name, there, key=True)
        yield known.document.finding(_not_a_variable_of(invoke.flow, name, list(there)), use.path, key=True, fix=fix)
    else:
        yield from _fitting(known, use, template, given, there[name])


def _fitting(known: Known, use: Use, template: Template, given: Type, variable: Variable) -> Iterator[Finding]:
    """Check whether a value fits the variable that is to keep it."""
    document = known.document
    if (
        template.padded is not None
        and variable.type.name != "text"
        and infer(template.padded, known.declared)[0] != TEXT
    ):
        yield document.finding(_spaces_around(), use.path)
    elif template.literal:
        try:
            fit(template.source, variable)
        except Misfit:
            yield document.finding(not_valid(template.source, variable), use.path)
    elif given.optional and not variable.type.optional and given.name != "any":
        yield document.finding(_may_be_none(use.variable or str(use.path[-1])), use.path)
    elif (problem := misfit(template, given, variable, known.scene(use).env)) is not None:
        yield document.finding(problem, use.path)
