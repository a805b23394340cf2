"""`http`: asks a web service, and judges what it answers.

What is sent is made here, as text; the service `http` sends it. A secret is only named here: `MARK name MARK` stands
where the service puts its value in. No value can be read as that, since `MARK` is taken out of all others: no text that
a caller says, keys or makes a service answer can name a secret.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Final, TypeAlias

from msgspec import Struct, json

from ivr.engine.actions.base import Common, Needs, Raised, Result, failed
from ivr.engine.commands import Argument, Segment
from ivr.engine.events import Event, HttpAnswered, Scalar, ServiceFailed
from ivr.engine.expressions import tree
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.failure import WrongKind
from ivr.engine.expressions.operations import kind
from ivr.engine.expressions.types import Type
from ivr.engine.prompt import Prompt
from ivr.engine.scope import Scope
from ivr.engine.values import MaskedValue, Value
from ivr.engine.web_addresses import plain, written_address
from ivr.engine.web_orders import HTTP, MARK, PAUSES, Misshapen, expected, shape_text, shaped
from ivr.errors import ExpressionFailed, MaskedRead

MARGIN: Final = 0.5
"Seconds beyond all tries and pauses: the service itself is to say that time is up."
MAX_BODY: Final = 100_000
"Characters of a body that is sent."

JsonTemplate: TypeAlias = (
    "Template | bool | int | Decimal | tuple[JsonTemplate, ...] | Mapping[str, JsonTemplate] | None"
)
"A JSON text with values to be put in: what is no template has its type by itself (C10)."

_FAILURES = {
    "timeout": ("error.http.timeout", "the web service did not answer in time"),
    "connect": ("error.http.connect", "the web service cannot be reached"),
    "auth": ("error.http.auth", "the caller is not signed in to the web service, or not any more"),
}
_OTHER_FAILURE = ("error.http.connect", "the web service could not be asked")
_NOT_READABLE = "the web service's answer is not of the shape that the flow expects"


class Body(Struct, frozen=True):
    """What is sent in the body of a request, at most one of the two."""

    json: JsonTemplate = None
    has_json: bool = False
    form: Mapping[str, Template] | None = None
    private: bool = False
    "It holds a sensitive value."


class Http(Common, frozen=True):
    """The action `http` (LANGUAGE C4)."""

    method: str
    url: Template
    query: Mapping[str, Template]
    headers: Mapping[str, Template]
    body: Body
    timeout: float
    "Seconds for one try."
    retries: int
    expect: tuple[str, ...]
    "Statuses that are a success: `200`, `2xx`."
    returns: Type | None = None
    into: str | None = None
    hold_prompt: Prompt = ()
    sensitive: bool = False
    "The answer is kept in a private variable."
    sign_in: str | None = None
    "In whose name it is asked: that of a sign-in, whose token the service adds; none: in nobody's."

    @property
    def keeps(self) -> str | None:
        """The variable that keeps the body, if one does."""
        return self.into

    def start(self, scope: Scope) -> Result:
        """Ask."""
        arguments: dict[str, Argument] = {"method": self.method, "url": written_address(self.url, scope)}
        if self.query:
            arguments["query"] = _fields(self.query, scope)
        if self.headers:
            arguments["headers"] = {
                name: " ".join(value.split()) for name, value in _texts(self.headers, scope) if value is not None
            }
        arguments |= {"timeout": self.timeout, "retries": self.retries, "expect": self.expect}
        if self.returns is not None:
            arguments["returns"] = shape_text(self.returns)
        if self.sign_in is not None:
            arguments["signIn"] = self.sign_in
        body = self._body(scope)
        total = self.timeout * (self.retries + 1) + sum(PAUSES[: self.retries]) + MARGIN
        if self.body.private:
            return Needs(HTTP, arguments, total, sensitive=self.sensitive, private=body)
        return Needs(HTTP, {**arguments, **body}, total, sensitive=self.sensitive)

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Judge what the service answered."""
        match event:
            case HttpAnswered():
                return self._judged(event)
            case ServiceFailed(code=code):
                name, why = _FAILURES.get(code, _OTHER_FAILURE)
                return failed(name, why, {"status": None})
        return None

    def traced(self, event: Event, result: Result | None) -> Event:
        """Keep of a private answer only how it was judged (C12)."""
        if not (self.sensitive and isinstance(event, HttpAnswered)):
            return event
        readable = not (isinstance(result, Raised) and result.event == "error.http.body")
        return HttpAnswered(event.job, event.status, readable=readable, masked=True)

    def hold(self, scope: Scope) -> tuple[Segment, ...]:
        """Return what is heard while the service works."""
        return scope.prompt(self.hold_prompt)

    def _judged(self, event: HttpAnswered) -> Raised:
        fields: dict[str, Value] = {"status": event.status}
        if not expected(event.status, self.expect):
            return failed(f"error.http.status.{event.status}", f"the web service answered {event.status}", fields)
        if self.returns is None:
            return Raised("success", fields)
        if not event.readable:
            return failed("error.http.body", _NOT_READABLE, fields)
        body: Value
        if event.masked:
            body = MaskedValue()
        else:
            try:
                body = shaped(event.body, self.returns)
            except Misshapen as misshapen:
                return failed("error.http.body", f"{_NOT_READABLE}: {misshapen}", fields)
        stores = {self.into: body} if self.into else {}
        return Raised("success", {**fields, "body": body}, stores, private=self.sensitive)

    def _body(self, scope: Scope) -> dict[str, Argument]:
        try:
            if self.body.has_json:
                return {"json": _bounded(_json(self.body.json, scope))}
            return {} if self.body.form is None else {"form": _fields(self.body.form, scope)}
        except MaskedRead:
            if not self.body.private:
                raise
            return {}  # a replay does not know the value, and nobody is asked


def secret_named(expression: Expression) -> str | None:
    """Return the secret that an expression names, if it does nothing else."""
    first, _, name = (tree.path(expression.node) or "").partition(".")
    return name if first == "secrets" and name and "." not in name else None


# --- what is sent ----------------------------------------------------------------------------------------------------


def _fields(fields: Mapping[str, Template], scope: Scope) -> dict[str, Scalar]:
    """Make the fields of a query or a form; one whose value is none is left out."""
    made: dict[str, Scalar] = {name: value for name, value in _texts(fields, scope) if value is not None}
    _bounded("".join(map(str, made.values())))
    return made


def _texts(fields: Mapping[str, Template], scope: Scope) -> Sequence[tuple[str, str | None]]:
    return [(name, _text(template, scope)) for name, template in fields.items()]


def _text(template: Template, scope: Scope) -> str | None:
    """Make a text that is sent as it is; None: it is one value, and that is none."""
    single = template.single
    if single is not None and secret_named(single) is None and single.value(scope) is None:
        return None
    return _put_in(template, scope, _unmarked)


def _put_in(template: Template, scope: Scope, made: Callable[[str], str]) -> str:
    """Put values and the names of secrets into a text; all but the latter is written by `made`."""
    parts = []
    for part in template.parts:
        if isinstance(part, str):
            parts.append(made(part))
        elif (name := secret_named(part)) is not None:
            parts.append(f"{MARK}{name}{MARK}")
        else:
            parts.append(made(plain(part.value(scope))))
    return "".join(parts)


def _unmarked(text: str) -> str:
    return text.replace(MARK, "")


def _quoted(text: str) -> str:
    """Write a text as JSON does between quotes; no control character is in it, so no `MARK` either."""
    return json.encode(text).decode()[1:-1]


def _json(template: JsonTemplate, scope: Scope) -> str:
    """Write a JSON text; a template that is one expression keeps the type of its value."""
    if isinstance(template, Template):
        if template.single is None or secret_named(template.single) is not None:
            return f'"{_put_in(template, scope, _quoted)}"'
        return _value(template.single.value(scope))
    if isinstance(template, tuple):
        return f"[{','.join([_json(item, scope) for item in template])}]"
    if isinstance(template, Mapping):
        return _object((name, _json(item, scope)) for name, item in template.items())
    return _value(template)


def _value(value: Value) -> str:
    match value:
        case None:
            return "null"
        case bool() | int() | Decimal():
            return plain(value)
        case str() | date() | time():  # a datetime is a date
            return f'"{_quoted(plain(value))}"'
        case Mapping():
            return _object((name, _value(item)) for name, item in value.items())
        case tuple() | list():
            return f"[{','.join(map(_value, value))}]"
    raise WrongKind(f"a value of type {kind(value)} cannot be sent")


def _object(members: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join([f'"{_quoted(name)}":{written}' for name, written in members]) + "}"


def _bounded(text: str) -> str:
    if len(text) > MAX_BODY:
        raise ExpressionFailed(f"a request of more than {MAX_BODY} characters")
    return text
