"""Checks of `notify`: who is told, and what is attached or played back (LANGUAGE C4, C9)."""

from collections.abc import Iterator

from ivr.flowfile.checks.declaration import Check
from ivr.flowfile.checks.variable_types import TYPE
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.source import Path
from ivr.flowfile.texts import uses
from ivr.flowfile.variables import variables
from ivr.mail_address import is_address

RECIPIENT = Check(
    "recipient",
    "both",
    "A notification has no recipient, two sorts of them, an invalid address, or one that depends on the call.",
    group="Values",
    bad="""
start: {notify: {email: "Anna Weber", text: Somebody called.}, next: bye}
""",
    good="""
start: {notify: {email: anna@contoso.example, text: Somebody called.}, next: bye}
""",
)


@RECIPIENT.error
def _nobody() -> Text:
    return "Nobody is told.", 'Add "email: <address>" or "webhook: <https address>".'


@RECIPIENT.error
def _two_sorts() -> Text:
    return '"email" and "webhook" cannot stand in one notification.', "Write two states, one after the other."


@RECIPIENT.error
def _no_address(text: str) -> Text:
    return f'"{text}" is not a mail address.', "Write one such as anna@contoso.example."


@RECIPIENT.warning
def _depends() -> Text:
    return (
        "Who gets this mail depends on the call.",
        "It is sent only to addresses that the server's setting IVR_MAIL_TO allows.",
    )


@TYPE.message
def _no_recording(variable: str, type_name: str) -> Text:
    return f'This must be a recording, and "{variable}" is {type_name}.', 'Put its value into a text: "{{ … }}".'


@RECIPIENT.finder
def recipients(document: Document) -> Iterator[Finding]:
    """Find notifications that reach nobody, or perhaps somebody else."""
    for name, state in document.states():
        here: Path = ("states", name, "notify")
        if state.notify is None or not document.is_sound(*here):
            continue
        mails, hook = state.notify.email, state.notify.webhook
        if not mails and hook is None:
            yield document.finding(_nobody(), here, key=True)
        elif mails and hook is not None:
            yield document.finding(_two_sorts(), (*here, "webhook"), key=True)
        for number, address in enumerate(mails or ()):
            path = (*here, "email", number)
            if "{{" in address:
                yield document.finding(_depends(), path)
            elif not is_address(address.strip()):
                yield document.finding(_no_address(address), path)


@TYPE.finder
def recordings(document: Document) -> Iterator[Finding]:
    """Find what is attached or played back, and is no recording."""
    known = variables(document)
    for use in uses(document):
        is_recording = use.role == "expression" and {"attach", "recording"} & set(use.path[-2:])
        kept = known.get(use.text) if is_recording else None
        if kept is not None and kept.type.name not in {"recording", "any"}:
            yield document.finding(_no_recording(use.text, str(kept.type)), use.path)
