"""Checks of what callers sign in to, and of web services that are asked in their name (LANGUAGE C4)."""

from collections.abc import Iterator, Sequence

from ivr.engine.actions.sign_in import FACTS, SIGNED_IN
from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.source import Path
from ivr.flowfile.texts import reads, uses
from ivr.nearest import did_you_mean

SIGN_IN = Check(
    "sign-in",
    "both",
    "What a caller is to sign in to is not declared, cannot be reached, or would be told to somebody else.",
    group="Shape",
    bad="""
start:
  http: {url: "https://api.contoso.example/calls", auth: {signIn: calendar}}
  next: bye
""",
    good="""
start:
  http: {url: "https://api.contoso.example/calls"}
  next: bye
""",
)

SIGNED_IN_BEFORE = Check(
    "signed-in",
    "error",
    "A web service is asked in the name of a caller who may not have signed in.",
    group="Proofs",
    bad="""
signIns: {calendar: {}}
states:
  start:
    signIn: {name: calendar, prompt: "Open {{ signIn.page }}, enter {{ signIn.ticket | digits }}, then key the code."}
    on: {signedIn: look, declined: look, expired: bye, failed: bye}
  look:
    http: {url: "https://api.contoso.example/calls", auth: {signIn: calendar}}
    next: bye
""",
    good="""
signIns: {calendar: {}}
states:
  start:
    signIn: {name: calendar, prompt: "Open {{ signIn.page }}, enter {{ signIn.ticket | digits }}, then key the code."}
    on: {signedIn: look, declined: bye, expired: bye, failed: bye}
  look:
    http: {url: "https://api.contoso.example/calls", auth: {signIn: calendar}}
    next: bye
""",
)


@SIGN_IN.error
def _not_declared(name: str, known: Sequence[str]) -> Text:
    advice = did_you_mean(name, known) or 'Declare it: "signIns: {<name>: {scopes: […]}}".'
    return f'"signIns" has no "{name}".', advice


@SIGN_IN.error
def _not_encrypted() -> Text:
    return "A request in the name of a caller must be encrypted.", "Write https."


@SIGN_IN.error
def _own_header() -> Text:
    return 'With "auth", the server writes the header "Authorization".', "Delete one of the two."


@SIGN_IN.warning
def _nowhere_to_go() -> Text:
    message = "The caller is not told where to sign in."
    return message, "Say {{ signIn.page }} and {{ signIn.ticket | digits }} (by device, {{ signIn.code | spell }})."


@SIGN_IN.warning
def _link_spoken() -> Text:
    message = "A link of a hundred characters would be spoken."
    return message, "Say {{ signIn.page }} and {{ signIn.ticket | digits }}; a card of kind signIn can have the link."


@SIGNED_IN_BEFORE.message
def _without_sign_in(name: str, states: Sequence[str]) -> Text:
    message = f'A call can come here without having signed in to "{name}": {" → ".join(states)}.'
    return message, f'Lead here only from the "{SIGNED_IN}" of a signIn.'


def _named(document: Document) -> Iterator[tuple[str, Path]]:
    """Go through the names of sign-ins, each with its place."""
    for state_name, state in document.states():
        if state.sign_in is not None:
            yield state.sign_in.name, ("states", state_name, "signIn", "name")
        if state.http is not None and state.http.auth is not None:
            yield state.http.auth.sign_in, ("states", state_name, "http", "auth", "signIn")


@SIGN_IN.finder
def declared(document: Document) -> Iterator[Finding]:
    """Find names of sign-ins that are not declared."""
    known = document.source.keys(("signIns",))
    for name, path in _named(document):
        if name not in known:
            yield document.finding(_not_declared(name, known), path)


@SIGN_IN.finder
def asked_in_the_open(document: Document) -> Iterator[Finding]:
    """Find requests in a caller's name that would tell the token to others, or have another one."""
    for name, state in document.states():
        http = state.http
        if http is None or http.auth is None:
            continue
        if http.url.startswith("http:"):
            yield document.finding(_not_encrypted(), ("states", name, "http", "url"))
        for header in http.headers:
            if header.lower() == "authorization":
                yield document.finding(_own_header(), ("states", name, "http", "headers", header), key=True)


@SIGN_IN.finder
def told_where(document: Document) -> Iterator[Finding]:
    """Find sign-ins whose prompt does not say where the page is."""
    told = {use.state for use in uses(document) if use.moment == "signIn" and FACTS in reads(use)}
    for name, state in document.states():
        if state.sign_in is not None and name not in told and document.is_sound("states", name):
            yield document.finding(_nowhere_to_go(), ("states", name, "signIn"), key=True)


@SIGN_IN.environment_finder
def spoken_links(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find links in texts that a line speaks; a text with a guard may be for a chat alone."""
    if all(can.writes for can in environment.lines.values()):
        return
    for use in uses(document):
        is_link = f"{FACTS}.link" in use.text and use.moment == "signIn" and use.path[-1] == "text"
        if is_link and not use.guards:
            yield document.finding(_link_spoken(), use.path)


@SIGNED_IN_BEFORE.finder
def signed_in_before(document: Document) -> Iterator[Finding]:
    """Find requests in a caller's name, and a way to them on which nobody signed in; a part may be invoked after it."""
    if any(state.return_ for _, state in document.states()):
        return
    for name, state in document.states():
        auth = state.http.auth if state.http else None
        known = auth is not None and auth.sign_in in document.model.sign_ins
        if auth is not None and known and (states := _way_without(document, auth.sign_in, name)):
            path = ("states", name, "http", "auth", "signIn")
            yield document.finding(_without_sign_in(auth.sign_in, states), path)


def _way_without(document: Document, sign_in: str, target: str) -> Sequence[str]:
    """Return a shortest way to a state on which no caller has signed in; empty: there is none."""
    begins = document.begins
    before: dict[str, str | None] = {begins: None}
    waiting = [begins]
    for name in waiting:  # grows while it is gone through
        state = document.model.states.get(name)
        asked = state and state.sign_in
        invokes = state is not None and state.invoke is not None  # a flow that may sign the caller in
        for transition in document.transitions.get(name, ()):
            signs_in = invokes or (asked and asked.name == sign_in and transition.event == SIGNED_IN)
            if not signs_in and transition.target not in before:
                before[transition.target] = name
                waiting.append(transition.target)
    states: list[str] = []
    step: str | None = target if target in before else None
    while step is not None:
        states.append(step)
        step = before[step]
    return states[::-1]
