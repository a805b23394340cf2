"""`ivr call`: have a server place a call, and see what becomes of it. A client of `POST /calls` (docs/calls.md)."""

import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from secrets import token_urlsafe
from typing import NoReturn
from urllib.parse import urlsplit

import click
import msgspec
from msgspec import Struct

from ivr.cli.parameter_values import given_values, value_option
from ivr.cli.terminal_text import plain
from ivr.settings import Settings, SettingsError, load_settings

PATIENCE = 15.0
"Seconds that a server may take for an answer."
PAUSE = 1.0
"Seconds between two looks at a call."
MOST = 64 * 1024
"Bytes of an answer."
_WORDS = {"placed": "ordered", "ringing": "ringing", "answered": "answered"}


class CallState(Struct, frozen=True):
    """What a server tells of a call."""

    id: str
    state: str
    outcome: str | None = None
    answeredBy: str | None = None  # noqa: N815  # the name in the answer


class _Refusal(Struct, frozen=True):
    message: str
    code: str = ""


class _Refused(Struct, frozen=True):
    error: _Refusal


class ServerOfCalls:
    """The server that places calls."""

    def __init__(self, address: str, token: str) -> None:
        split = urlsplit(address)
        if split.scheme not in {"http", "https"} or split.hostname is None:
            raise click.BadParameter("must be an address such as https://ivr.example.com", param_hint="--server")
        kind = HTTPSConnection if split.scheme == "https" else HTTPConnection
        self._connect: Callable[[], HTTPConnection] = lambda: kind(split.netloc, timeout=PATIENCE)
        self._path = split.path.rstrip("/")
        self._token = token

    def order(self, order: Mapping[str, object], key: str) -> CallState:
        """Order a call; the same key orders the same call once."""
        fields = {"Content-Type": "application/json", "Idempotency-Key": key}
        return self._asked("POST", "/calls", fields, msgspec.json.encode(order))

    def look(self, call: str) -> CallState:
        """Return what has become of a call so far."""
        return self._asked("GET", f"/calls/{call}", {}, None)

    def _asked(self, method: str, path: str, fields: Mapping[str, str], body: bytes | None) -> CallState:
        connection = self._connect()
        headers = {**fields, "Authorization": f"Bearer {self._token}"}
        try:
            connection.request(method, f"{self._path}{path}", body=body, headers=headers)
            answer = connection.getresponse()
            status, read = answer.status, answer.read(MOST)
        except (OSError, HTTPException) as error:
            _fail(f"The server cannot be reached ({type(error).__name__}). Does it run? --server says where.")
        finally:
            connection.close()
        if not 200 <= status < 300:
            _fail(_why_refused(status, read, ordered=method == "POST"))
        try:
            return msgspec.json.decode(read, type=CallState)
        except msgspec.DecodeError:
            _fail("The server's answer cannot be read. Is it an ivr server?")


@click.command()
@click.argument("to")
@click.option("--flow", required=True, help="The flow that talks to whoever answers.")
@click.option("--channel", required=True, help="The line that places the call, such as twilio, jambonz or skype.")
@click.option("--caller", help="Whom the other side sees as the caller; one of IVR_CALL_CALLERS.")
@click.option("--ring", type=click.FloatRange(5, 120), default=45.0, show_default=True, help="Seconds to let it ring.")
@click.option("--machine", is_flag=True, help="Have the line find out if a machine answers.")
@value_option
@click.option("--key", help="The Idempotency-Key: the same key orders the same call once.")
@click.option("--server", help="Where the server is; default: this machine, at the port of the settings.")
@click.option("--wait", is_flag=True, help="Wait until the call is over.")
def call(
    *,
    to: str,
    flow: str,
    channel: str,
    caller: str | None,
    ring: float,
    machine: bool,
    values: tuple[str, ...],
    key: str | None,
    server: str | None,
    wait: bool,
) -> None:
    """Have the server place a call to a number or a SIP address.

    The server's IVR_CALLS_TOKEN is needed here, too. The exit status is 1 if the call was not answered.

    \b
    Example:  ivr call +436601234567 --flow reminder --channel twilio --value patient=Anna --wait
    """
    settings = _settings()
    if settings.calls_token is None:
        _fail("IVR_CALLS_TOKEN is not set here. It is the token of the server that places the call.")
    asked = ServerOfCalls(server or f"http://127.0.0.1:{settings.port}", settings.calls_token.get_secret_value())
    order: dict[str, object] = {"to": to, "flow": flow, "channel": channel, "ring": ring, "machine": machine}
    order["values"] = given_values(values)
    if caller is not None:
        order["caller"] = caller
    state = asked.order(order, key or token_urlsafe(18))
    click.echo(f"Call {plain(state.id)} is {_said(state)}.")
    if wait:
        _follow(asked, state)


def _follow(asked: ServerOfCalls, state: CallState) -> None:
    """Report each change until the call is over."""
    while state.state != "over":
        time.sleep(PAUSE)
        now = asked.look(state.id)
        if now.state != state.state:
            click.echo(_said(now))
        state = now
    if state.answeredBy is None:
        raise SystemExit(1)


def _said(state: CallState) -> str:
    if state.state == "over":
        why = " (the server's log says why, and `ivr requests --dead`)" if _never_placed(state) else ""
        return f"over: {plain(state.outcome or 'without an outcome')}{why}"
    by = f" by a {state.answeredBy}" if state.answeredBy in {"human", "machine"} else ""
    return _WORDS.get(state.state, plain(state.state)) + by


def _never_placed(state: CallState) -> bool:
    return state.outcome == "failed" and state.answeredBy is None


def _settings() -> Settings:
    try:
        return load_settings().settings
    except SettingsError as error:
        raise click.ClickException(str(error)) from error


def _why_refused(status: int, body: bytes, *, ordered: bool) -> str:
    try:
        refusal = msgspec.json.decode(body, type=_Refused).error
    except msgspec.DecodeError:
        return f"The server refuses, with {status} and no reason. Is it an ivr server?"
    if ordered and refusal.code == "not-found":  # nothing is at this address there
        return "That server takes no orders: its IVR_CALLS_TOKEN is not set. Set it there, and start it again."
    if status == 401:
        return "IVR_CALLS_TOKEN is another one at that server than here."
    return f"{plain(refusal.message)} ({status})"


def _fail(message: str) -> NoReturn:
    raise click.ClickException(message)
