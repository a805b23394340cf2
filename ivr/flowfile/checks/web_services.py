"""Checks of `http`: where a request goes, what is asked twice, and where a secret may stand (LANGUAGE C4, C11, C12)."""

import re
from collections.abc import Iterator

from ivr.engine.actions.http import secret_named
from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.expressions.types import Type
from ivr.engine.secret_values import SECRETS
from ivr.flowfile.actions.http import KEYED, Http
from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.file_format import VALUE
from ivr.flowfile.checks.variable_types import TYPE
from ivr.flowfile.checks.variable_use import SENSITIVE
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Problem, Text
from ivr.flowfile.source import Path
from ivr.flowfile.texts import Use, compiled, uses
from ivr.flowfile.variables import into_of, private

URL_HOST = Check(
    "url-host",
    "error",
    "The address of a web service has no host that is written out, or cannot be asked.",
    group="Values",
    bad="""
start:
  http: {url: "https://{{ call.to }}.contoso.example/calls"}
  next: bye
""",
    good="""
start:
  http: {url: "https://api.contoso.example/calls", query: {line: "{{ call.to }}"}}
  next: bye
""",
)

URL = Check(
    "url",
    "warning",
    "A value stands in the query of an address instead of in `query`.",
    group="Values",
    bad="""
start:
  http: {url: "https://api.contoso.example/calls?line={{ call.to }}"}
  next: bye
""",
    good="""
start:
  http: {url: "https://api.contoso.example/calls", query: {line: "{{ call.to }}"}}
  next: bye
""",
)

RETRY_POST = Check(
    "retry-post",
    "warning",
    "A request that may do something twice is tried again.",
    group="Values",
    bad="""
start:
  http: {url: "https://api.contoso.example/orders", method: POST, retries: 2}
  next: bye
""",
    good="""
start:
  http: {url: "https://api.contoso.example/orders", method: POST}
  next: bye
""",
)

SECRET = Check(
    "secret",
    "error",
    "A secret stands where it would be heard, stored or changed.",
    group="Values",
    bad="""
start:
  http: {url: "https://api.contoso.example/calls", headers: {X-Key: "{{ secrets.shop ~ '!' }}"}}
  next: bye
""",
    good="""
start:
  http: {url: "https://api.contoso.example/calls", headers: {X-Key: "{{ secrets.shop }}!"}}
  next: bye
""",
)


@URL_HOST.message
def _no_scheme() -> Text:
    return "The address does not begin with https:// and a host.", "Write it like https://api.example.com/orders."


@URL_HOST.message
def _host_not_written_out() -> Text:
    return "The host is not written out.", 'A value can stand behind the host, or in "query".'


@URL_HOST.message
def _user_in_address() -> Text:
    return "An address cannot hold a user or a password.", 'Write a secret in "headers".'


@URL_HOST.message
def _not_encrypted() -> Text:
    return "Only a service on the server's own machine can be asked by http.", "Write https."


@URL_HOST.message
def _fragment() -> Text:
    return 'What follows "#" in an address is never sent.', "Delete it."


@URL.message
def _value_in_query() -> Text:
    return "This value belongs into the query.", 'Write it in "query": it is left out there if it is none.'


@RETRY_POST.message
def _done_twice(method: str, retries: int) -> Text:
    message = f"A {method} that is tried again may be done {retries + 1} times."
    return message, "Does the service keep the Idempotency-Key? Then allow it; else delete the retries."


@SECRET.message
def _not_here() -> Text:
    return "A secret cannot be read here.", "Only guards and the headers, query, json and form of http may name one."


@SECRET.message
def _not_alone() -> Text:
    return "A secret can only be named here, as {{ secrets.name }}.", "It is put in when the request is sent."


@VALUE.message
def _two_bodies() -> Text:
    return 'A request has one body: "json" or "form".', "Delete one of them."


@VALUE.message
def _body_of_get(method: str) -> Text:
    return f"A {method} has no body.", 'Write "query", or another "method".'


@VALUE.message
def _nothing_kept() -> Text:
    return '"into" keeps the body, which is read only with "returns".', 'Add "returns" with the shape of the body.'


@TYPE.message
def _no_recording() -> Text:
    return "No web service returns a recording.", "Possible: text, numbers, dates, lists and mappings of these."


@SENSITIVE.message
def _answer_is_stored(variable: str) -> Text:
    message = f'The answer is stored and traced before it gets to "{variable}", which is private.'
    return message, 'Declare a private variable of the shape of "returns", and keep the body with "into".'


_ADDRESS = re.compile(r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(?=[/?]|\Z)")
_THIS_MACHINE = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[::1\]")


def _requests(document: Document) -> Iterator[tuple[str, Path, Http]]:
    for name, state in document.states():
        if state.http is not None:
            yield name, ("states", name, "http"), state.http


@URL_HOST.finder
def url_host(document: Document) -> Iterator[Finding]:
    """Find addresses without a host that is written out: a caller must not choose who is asked."""
    for path, address in addresses(document):
        template = compiled(address, bare=False)
        if isinstance(template, Template) and (problem := _wrong_host(template)):
            yield document.finding(problem, path)


def addresses(document: Document) -> Iterator[tuple[Path, str]]:
    """Go through the addresses that requests and webhooks go to, each with its place."""
    for _, path, http in _requests(document):
        yield (*path, "url"), http.url
    for name, state in document.states():
        if state.notify is not None and state.notify.webhook is not None:
            yield ("states", name, "notify", "webhook"), state.notify.webhook


def host_written_out(address: str) -> str | None:
    """Return an address as far as its host and port, which must be written out; None: they are not."""
    template = compiled(address, bare=False)
    if not isinstance(template, Template) or _wrong_host(template):
        return None
    found = _ADDRESS.match(address)
    return found[0] if found else None


def _wrong_host(template: Template) -> Problem | None:
    parts = template.parts
    first = parts[0] if parts and isinstance(parts[0], str) else ""
    found = _ADDRESS.match(first)
    if found is None or (found.end() == len(first) and not template.literal):
        authority = re.split(r"[/?#]", first.partition("//")[2])[0]
        if "@" in authority:
            return _user_in_address()
        has_value = not template.literal and authority == first.partition("//")[2]
        return _host_not_written_out() if has_value else _no_scheme()
    if any("#" in part for part in parts if isinstance(part, str)):
        return _fragment()
    if found["scheme"] == "http" and not _THIS_MACHINE.fullmatch(found["host"].lower()):
        return _not_encrypted()
    return None


@URL.finder
def value_in_query(document: Document) -> Iterator[Finding]:
    """Find values behind the question mark of an address."""
    for _, path, http in _requests(document):
        template = compiled(http.url, bare=False)
        asked = False
        for part in template.parts if isinstance(template, Template) else ():
            if isinstance(part, str):
                asked = asked or "?" in part
            elif asked:
                yield document.finding_within(_value_in_query(), (*path, "url"), part.node.start, part.node.end)
                break


@RETRY_POST.finder
def retry_post(document: Document) -> Iterator[Finding]:
    """Find requests that may do something, and are repeated."""
    for _, path, http in _requests(document):
        if http.method in KEYED and http.retries:
            yield document.finding(_done_twice(http.method, http.retries), (*path, "retries"), key=True)


@SECRET.finder
def secret(document: Document) -> Iterator[Finding]:
    """Find secrets where the language does not allow them."""
    for use in uses(document):
        what = compiled(use.text, bare=use.is_bare)
        if isinstance(what, ExpressionError):
            continue
        for expression in what.expressions if isinstance(what, Template) else (what,):
            if SECRETS in expression.roots and (problem := _misused(use, expression)):
                yield document.finding_within(problem, use.path, expression.node.start, expression.node.end)


def _misused(use: Use, expression: Expression) -> Problem | None:
    if use.role == "guard":
        return None
    if use.read is None or not use.read.takes_secrets:
        return _not_here()
    return None if secret_named(expression) else _not_alone()


@VALUE.finder
def bodies(document: Document) -> Iterator[Finding]:
    """Find requests with two bodies, or with one where none can be; and what keeps a body that is not read."""
    for _, path, http in _requests(document):
        if http.body is not None and http.form is not None:
            yield document.finding(_two_bodies(), (*path, "form"), key=True)
        elif http.method in {"GET", "HEAD"} and (http.body is not None or http.form is not None):
            key = "json" if http.body is not None else "form"
            yield document.finding(_body_of_get(http.method), (*path, key), key=True)
        if http.into is not None and http.returns is None and document.is_sound(*path, "returns"):
            yield document.finding(_nothing_kept(), (*path, "into"), key=True)


@TYPE.finder
def returned(document: Document) -> Iterator[Finding]:
    """Find shapes of answers that no JSON has."""
    for _, path, http in _requests(document):
        if http.returns is not None and _holds_recording(http.returns):
            yield document.finding(_no_recording(), (*path, "returns"), key=True)


def _holds_recording(type_: Type) -> bool:
    inner = [*type_.fields.values(), *([type_.item] if type_.item else [])]
    return type_.name == "recording" or any(map(_holds_recording, inner))


@SENSITIVE.finder
def private_answers(document: Document) -> Iterator[Finding]:
    """Find answers of which something is private, and that are kept as if nothing was."""
    marked = private(document)
    for use in uses(document):
        if use.role != "value" or use.moment != "transition" or use.state is None or use.variable not in marked:
            continue
        state = document.model.states[use.state]
        kept = into_of(use.state, state)
        is_private = kept is not None and kept.variable in marked
        what = compiled(use.text, bare=False)
        read = what.names if isinstance(what, Template) and state.http is not None and not is_private else ()
        if any(name.partition(".")[0] == "body" for name in read):
            yield document.finding(_answer_is_stored(use.variable), use.path)
