"""`http`: how it is written."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from ivr.engine.actions import http as engine
from ivr.engine.actions.http import JsonTemplate
from ivr.engine.expressions.compile import Template
from ivr.engine.expressions.types import ANY, INTEGER, Type, optional
from ivr.engine.naming import parted
from ivr.flowfile.actions.base import SENDABLE, Builder, KeepingSpec, kept_in, written_or
from ivr.flowfile.containers import Fields, OneOrMany
from ivr.flowfile.fields import (
    DECIMAL_NUMBER,
    WHOLE_NUMBER,
    AnyText,
    Json,
    OneOf,
    Reference,
    ScalarField,
    Text,
    Time,
    TypeWord,
    VariableName,
    Whole,
    refused,
)
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import Prompt, Read, Spoken, spoken
from ivr.flowfile.source import Path, Tree

HTTP_ERRORS = (
    *("error.http.timeout", "error.http.connect", "error.http.auth"),
    *("error.http.body", "error.http.status"),
)
STATUS_ERROR = re.compile(r"error\.http\.status\.[1-5][0-9]{2}")
RETRIED = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"Methods that can be repeated without harm (RFC 9110, 9.2.2), and so are unless the author says otherwise."
KEYED = frozenset({"POST", "PATCH"})
"Methods whose requests carry an `Idempotency-Key`."
_JSON_TYPES = SENDABLE | {"list", "object", "none"}
_DEEPEST = 20
"Mappings and lists inside each other in a body."
_OURS = frozenset(
    {
        *("host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "expect"),
        *("keep-alive", "proxy-authorization", "proxy-connection", "accept-encoding", "idempotency-key", "cookie"),
    }
)
"Headers that the server itself sets, or that would change how a request is read."


class HeaderName(ScalarField):
    """The name of a header (RFC 9110, 5.1)."""

    PATTERN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}"

    def read(self, text: str) -> str:
        """Read `X-Api-Key`."""
        if not re.fullmatch(self.PATTERN, text):
            raise refused("value", f'"{text}" is not the name of a header.', "Write one such as X-Api-Key.")
        if text.lower() in _OURS:
            raise refused("value", f'The header "{text}" cannot be set.', "The server sets what a request needs.")
        return text

    def schema(self) -> Json:
        """Describe it to an editor."""
        return {"type": "string", "pattern": f"^{self.PATTERN}$"}


class StatusPattern(ScalarField):
    """A status of an answer, or all that begin with one digit."""

    PATTERN = r"[1-5](xx|[0-9]{2})"

    def read(self, text: str) -> str:
        """Read `404`, `2xx`."""
        if not re.fullmatch(self.PATTERN, text):
            raise refused("value", f'"{text}" is not a status.', "Write one such as 404, or 2xx for 200 to 299.")
        return text

    def schema(self) -> Json:
        """Describe it to an editor, which sees a plain status as a number."""
        number: Json = {"type": "integer", "minimum": 100, "maximum": 599}
        return {"anyOf": [{"type": "string", "pattern": f"^{self.PATTERN}$"}, number]}


class JsonBody:
    """Any text, list or mapping: what becomes JSON."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._checked)

    def _checked(self, value: Tree) -> Tree:
        if _depth(value) > _DEEPEST:
            raise refused("value", "The body is nested too deeply.", f"At most {_DEEPEST} levels are possible.")
        return value

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> Json:
        return {}


def _depth(value: Tree) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


SentFields: TypeAlias = Annotated[dict[str, Annotated[str, AnyText()]], Fields("names with values")]


class Auth(Model):
    """In whose name a web service is asked."""

    sign_in: Annotated[str, Reference()] = Field(description="What the caller has signed in to, a name of signIns.")


class Http(Model):
    """Asks a web service."""

    method: Annotated[str, OneOf("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")] = Field(
        "GET", description="GET (default), HEAD, POST, PUT, PATCH, DELETE."
    )
    url: Text = Field(description="The address; its host is written out, and on the server's list IVR_HTTP_HOSTS.")
    query: SentFields = Field({}, description="What follows the ? of the address: name: value.")
    headers: Annotated[dict[Annotated[str, HeaderName()], Annotated[str, AnyText()]], Fields("headers with values")] = (
        Field({}, description="Headers of the request: name: value.")
    )
    body: Annotated[Tree, JsonBody()] | None = Field(None, alias="json", description="The body, sent as JSON.")
    form: SentFields | None = Field(None, description="The body, sent as the fields of a form: name: value.")
    auth: Auth | None = Field(
        None, description="In whose name it is asked: {signIn: name} adds the token of a caller who has signed in."
    )
    timeout: Annotated[float, Time(0.1, 60)] = Field(5.0, description="For each try: 100ms to 60s, default 5s.")
    retries: Annotated[int, Whole(0, 5)] | None = Field(
        None, description="How often it is tried again: 0 to 5; default 2, and 0 with POST and PATCH."
    )
    expect: Annotated[list[Annotated[str, StatusPattern()]], OneOrMany()] = Field(
        ["2xx"], description="Statuses that are a success, such as 200 or 2xx (default).", min_length=1
    )
    returns: Annotated[Type, TypeWord()] | None = Field(
        None, description="The shape of the answer's JSON body, as the type of a variable; without it, it is not read."
    )
    into: Annotated[str, VariableName()] | None = Field(None, description="The variable that keeps the body.")
    hold_prompt: Prompt | None = Field(None, description="Heard while the service works; default a short silence.")


class HttpSpec(KeepingSpec[Http]):
    """The action `http` (LANGUAGE C4)."""

    word = "http"
    description = "Asks a web service."
    runs = engine.Http
    model = Http
    parts = (Auth,)
    is_on_the_line = False
    event_fields = ("status", "body")
    private_fields = frozenset({"body"})

    @property
    def retries(self) -> int:
        """How often it is tried again."""
        return written_or(self.written.retries, 2 if self.written.method in RETRIED else 0)

    def build(self, state: str, builder: Builder) -> engine.Http:
        """Make what the engine runs."""
        asked, here = self.written, ("states", state, self.word)
        private = {name for name, variable in builder.variables.items() if variable.sensitive}
        reads = {
            parted(name)[0]
            for read in self.reads(here)
            if read.takes_private
            for name in builder.template(read.text).names
        }
        into = builder.variables[asked.into] if asked.into else None
        body = engine.Body(
            json=_json_template(asked.body, (*here, "json"), builder) if asked.body is not None else None,
            has_json=asked.body is not None,
            form=_templates(asked.form, builder) if asked.form is not None else None,
            private=not reads.isdisjoint(private),
        )
        return engine.Http(
            method=asked.method,
            url=builder.template(asked.url),
            query=_templates(asked.query, builder),
            headers=_templates(asked.headers, builder),
            body=body,
            timeout=asked.timeout,
            retries=self.retries,
            expect=tuple(asked.expect),
            returns=asked.returns,
            into=asked.into,
            hold_prompt=builder.prompt(asked.hold_prompt),
            sensitive=into is not None and into.sensitive,
            sign_in=asked.auth.sign_in if asked.auth else None,
        )

    def successes(self) -> tuple[str, ...]:
        """Return that the service answered as expected."""
        return ("success",)

    def failures(self) -> tuple[str, ...]:
        """Return what can go wrong: a body that is not read has no shape, and who asks as nobody cannot be refused."""
        never = {
            "error.http.body": self.written.returns is None,
            "error.http.auth": self.written.auth is None,
        }
        return tuple(event for event in HTTP_ERRORS if not never.get(event))

    def fields(self, event: str) -> Mapping[str, Type]:
        """Return what is known of the answer."""
        if event == "success":
            return {"status": INTEGER, **({"body": self.written.returns} if self.written.returns else {})}
        if event.startswith("error.http"):
            was_answered = event.startswith(("error.http.status", "error.http.body"))
            return {"status": INTEGER if was_answered else optional(INTEGER)}
        return {}

    def stores_on(self, event: str) -> bool:
        """Return whether there is a body of that shape."""
        return event == "success"

    def kept_in(self, state: str) -> str:
        """Return the variable that keeps the body."""
        return kept_in(state, self.written.into)

    @property
    def answer_type(self) -> Type:
        """The shape of the body."""
        return self.written.returns or ANY

    @property
    def kept_as(self) -> frozenset[str]:
        """The types of variables that can keep such a body."""
        name = self.answer_type.name
        return frozenset({name, *(["decimal"] if name == "integer" else [])})

    @property
    def answer_called(self) -> str:
        """What the body is."""
        return f"a body of the type {self.answer_type}"

    def prompts(self, here: Path) -> Iterator[Spoken]:
        """Go through what is heard while the service works."""
        yield from spoken(self.written.hold_prompt, (*here, "holdPrompt"))

    def reads(self, here: Path) -> Iterator[Read]:
        """Go through all that the service is told."""
        asked = self.written
        yield Read((*here, "url"), asked.url, "sent", takes=SENDABLE)
        for key, fields in (("query", asked.query), ("headers", asked.headers)):
            for name, text in fields.items():
                yield Read((*here, key, name), text, "sent", takes=SENDABLE, may_be_none=True, takes_secrets=True)
        for name, text in (asked.form or {}).items():
            yield _of_body((*here, "form", name), text, SENDABLE)
        for path, text in _texts(asked.body or {}, (*here, "json")):
            yield _of_body(path, text, _JSON_TYPES)


def _of_body(path: Path, text: str, takes: frozenset[str]) -> Read:
    return Read(path, text, "sent", takes=takes, may_be_none=True, takes_private=True, takes_secrets=True)


def _texts(value: Tree, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
        return
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _texts(inner, (*path, step))


def _templates(written: Mapping[str, str], builder: Builder) -> dict[str, Template]:
    return {name: builder.template(text) for name, text in written.items()}


def _json_template(value: Tree, path: Path, builder: Builder) -> JsonTemplate:
    if isinstance(value, dict):
        return {name: _json_template(inner, (*path, name), builder) for name, inner in value.items()}
    if isinstance(value, list):
        return tuple(_json_template(inner, (*path, number), builder) for number, inner in enumerate(value))
    if builder.is_plain(path):
        typed = _typed(value)
        if not isinstance(typed, str):
            return typed
    return builder.template(value)


def _typed(text: str) -> bool | int | Decimal | str | None:
    """Return what a plain scalar is by itself (LANGUAGE C10)."""
    if text in _WORDS:
        return _WORDS[text]
    if WHOLE_NUMBER.fullmatch(text):
        return int(text)
    return Decimal(text) if DECIMAL_NUMBER.fullmatch(text) else text


_WORDS = {"true": True, "false": False, "none": None}
