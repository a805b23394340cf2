"""Checks of what a flow needs from the settings of the server: hosts, secrets, ways to tell somebody (LANGUAGE C4)."""

from collections.abc import Iterator, Sequence

from ivr.engine.expressions.compile import Expression, Template
from ivr.engine.expressions.failure import ExpressionError
from ivr.engine.secret_values import SECRETS
from ivr.flowfile.checks.declaration import Check, Environment
from ivr.flowfile.checks.web_services import addresses, host_written_out
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Text
from ivr.flowfile.source import Path
from ivr.flowfile.texts import compiled, uses
from ivr.nearest import did_you_mean

SETTINGS = Check(
    "settings",
    "warning",
    "The server's settings lack a host, a secret, or a way to tell somebody. They are those of `ivr serve`, and of "
    "`--settings` or the environment.",
    group="Values",
    bad="""
start:
  http: {url: "https://api.fabrikam.example/calls"}
  next: bye
""",
    good="""
start:
  http: {url: "https://api.contoso.example/calls"}
  next: bye
""",
)


@SETTINGS.message
def _refused(why: str) -> Text:
    return f"No request can go there: {why}.", ""


@SETTINGS.message
def _no_secret(name: str, known: Sequence[str]) -> Text:
    return f'The settings have no secret "{name}".', did_you_mean(name, known)


@SETTINGS.message
def _no_mail() -> Text:
    return "No mail can be sent: IVR_SMTP_SERVER is not set.", ""


@SETTINGS.message
def _no_webhooks() -> Text:
    return "No webhook can be sent: IVR_WEBHOOK_SECRET is not set.", ""


@SETTINGS.message
def _nobody_allowed() -> Text:
    return "Who gets this mail depends on the call, and IVR_MAIL_TO allows no address.", ""


@SETTINGS.message
def _no_sign_ins() -> Text:
    return "Nobody can sign in: IVR_SIGN_IN_CLIENT_ID is not set.", ""


@SETTINGS.message
def _no_device_codes() -> Text:
    return 'Nobody can sign in by "device": IVR_SIGN_IN_DEVICE is not true.', ""


@SETTINGS.environment_finder
def sign_ins(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find sign-ins that the settings do not provide for, and hosts that get no caller's token."""
    provided = environment.provided
    for name, state in document.states():
        if state.sign_in is not None and not provided.sign_ins:
            yield document.finding(_no_sign_ins(), ("states", name, "signIn"), key=True)
        elif state.sign_in is not None and state.sign_in.by == "device" and not provided.device_codes:
            yield document.finding(_no_device_codes(), ("states", name, "signIn", "by"))
        if state.http is not None and state.http.auth is not None and provided.bears is not None:
            host = host_written_out(state.http.url)
            if host is not None and (why := provided.bears(host)):
                yield document.finding(_refused(why), ("states", name, "http", "auth"), key=True)


@SETTINGS.environment_finder
def hosts(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find web services that the server may not ask."""
    refuses = environment.provided.refuses
    if refuses is None:
        return
    for path, address in addresses(document):
        host = host_written_out(address)
        if host is not None and (why := refuses(host)):
            yield document.finding(_refused(why), path)


@SETTINGS.environment_finder
def secrets(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find secrets that the settings do not hold."""
    known = environment.provided.secrets
    if known is None:
        return
    for use in uses(document):
        what = compiled(use.text, bare=use.is_bare)
        if isinstance(what, ExpressionError):
            continue
        for expression in what.expressions if isinstance(what, Template) else (what,):
            for name in _named(expression):
                if name not in known:
                    start, end = expression.node.start, expression.node.end
                    yield document.finding_within(_no_secret(name, sorted(known)), use.path, start, end)


def _named(expression: Expression) -> list[str]:
    parts = [name.split(".") for name in sorted(expression.names)]
    return [name[1] for name in parts if name[0] == SECRETS and len(name) > 1]


@SETTINGS.environment_finder
def notifications(document: Document, environment: Environment) -> Iterator[Finding]:
    """Find notifications for which there is no way, and mails that may go to nobody."""
    provided = environment.provided
    for name, state in document.states():
        notify = state.notify
        here: Path = ("states", name, "notify")
        if notify is None:
            continue
        if notify.webhook is not None and not provided.webhooks:
            yield document.finding(_no_webhooks(), (*here, "webhook"), key=True)
        if notify.email and not provided.mail:
            yield document.finding(_no_mail(), (*here, "email"), key=True)
        elif not provided.recipients:
            for number, address in enumerate(notify.email or ()):
                if "{{" in address:
                    yield document.finding(_nobody_allowed(), (*here, "email", number))
