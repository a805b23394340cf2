"""What web services answer to a call in the terminal: by hand, from a file, or by really asking them.

A file of answers is YAML: a list, of which each entry says for which state or address it is, and what comes back.
The entries for one request are used in order, the last one again and again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from ipaddress import ip_network
from pathlib import Path
from secrets import token_hex
from typing import Any

from msgspec import DecodeError, Struct, ValidationError, convert, json

from ivr.engine.commands import Request
from ivr.engine.events import HttpAnswered, ServiceFailed, ServicesEvent
from ivr.engine.web_orders import only_named
from ivr.errors import IvrError
from ivr.flowfile.yaml.reader import MAX_BYTES, read
from ivr.ports import CallKey
from ivr.services.egress import LOOPBACK, Egress
from ivr.services.service import ServiceError
from ivr.services.web_request import WebRequest
from ivr.settings import Settings, secrets_of
from ivr.smallfiles import read_small
from ivr.storage import Order

FAILURES = ("timeout", "connect", "body")
"How a web service can fail, beside the statuses."


class AnswersError(IvrError):
    """A file of answers that cannot be used; the text says where and why."""


class WebAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry."""

    state: str | None = None
    "For requests of this state."
    url: str | None = None
    "For requests to addresses of this pattern: `*` stands for anything."
    status: int = 200
    body: Any = None
    fails: str | None = None
    "Instead of an answer: one of `FAILURES`."

    def fits(self, state: str, url: str) -> bool:
        """Return whether it is for this request."""
        return self.state in {None, state} and (self.url is None or fnmatchcase(url, self.url))

    def event(self, request: Request) -> ServicesEvent:
        """Return it as the service's answer: of the body what the flow reads, as the service keeps it."""
        if self.fails in {"timeout", "connect"}:
            return ServiceFailed(request.job, str(self.fails))
        if self.fails == "body":
            return HttpAnswered(request.job, self.status, readable=False)
        shape = request.arguments.get("returns")
        body = only_named(self.body, json.decode(str(shape))) if shape is not None else None
        return HttpAnswered(request.job, self.status, body)


class AnswerFile:
    """The answers of a file."""

    def __init__(self, answers: Sequence[WebAnswer]) -> None:
        self._answers = answers
        self._used: dict[tuple[int, ...], int] = {}

    def next(self, state: str, request: Request) -> ServicesEvent | None:
        """Return the answer to a request; None: no entry is for it."""
        url = str(request.arguments["url"])
        fitting = tuple(number for number, answer in enumerate(self._answers) if answer.fits(state, url))
        if not fitting:
            return None
        turn = self._used.get(fitting, 0)
        self._used[fitting] = turn + 1
        return self._answers[fitting[min(turn, len(fitting) - 1)]].event(request)


def read_answers(file: Path) -> AnswerFile:
    """Read a file of answers; raise AnswersError."""
    try:
        # The reader reads mappings; a list under a key may begin where the key does.
        reading = read(str(file), b"answers:\n" + read_small(file, MAX_BYTES))
    except OSError as error:
        raise AnswersError(f"{file} cannot be read: {error.strerror}") from error
    listed = reading.tree.get("answers") if isinstance(reading.tree, dict) else None
    if not reading.whole or not isinstance(listed, list):
        raise AnswersError(f"{file} is not a list of answers. Write one: - {{state: look_up, body: {{total: 12.50}}}}")
    answers = []
    for number, item in enumerate(listed):
        line = reading.source.mark("answers", number).line - 1
        try:
            written = dict(item) if isinstance(item, Mapping) else {}
            if "body" in written:
                written["body"] = _typed(written["body"], ("answers", number, "body"), reading.source.is_plain)
            answer = convert(written, WebAnswer, strict=False)
        except ValidationError as error:
            raise AnswersError(f"{file}:{line}: {error}") from error
        if not isinstance(item, Mapping) or (answer.fails is not None and answer.fails not in FAILURES):
            raise AnswersError(f'{file}:{line}: write "status" and "body", or "fails": {", ".join(FAILURES)}.')
        answers.append(answer)
    return AnswerFile(answers)


def _typed(value: Any, path: tuple[str | int, ...], is_plain: Callable[[tuple[str | int, ...]], bool]) -> Any:
    """Return a value of the file as JSON has it: what stands there plain is a number, true, false or nothing."""
    if isinstance(value, dict):
        return {name: _typed(inner, (*path, name), is_plain) for name, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner, (*path, number), is_plain) for number, inner in enumerate(value)]
    if not is_plain(path):
        return value
    if value in {"none", "null", "~", ""}:
        return None
    with suppress(DecodeError):
        return json.decode(value)
    return value


def shown(request: Request) -> str:
    """Write what is asked, for people: `GET https://… {number: 4711}`; secrets and private values by name only."""
    arguments = request.arguments
    parts = [f"{arguments['method']} {arguments['url']}"]
    for name in ("query", "form"):
        if isinstance(fields := arguments.get(name), dict):
            parts += [f"{key}: {value}" for key, value in fields.items()]
    if "json" in arguments:
        parts.append(str(arguments["json"]))
    parts += ["(a private body)"] if request.private else []
    return "  ".join(parts).replace("\0", "•")


def by_hand(typed: str, request: Request) -> ServicesEvent | None:
    """Read an answer that was typed: `200 {"total": 12.5}`, `404`, `timeout`, nothing for 200; None: it is none."""
    status, _, body = typed.strip().partition(" ")
    if status in FAILURES:
        return WebAnswer(fails=status).event(request)
    if status.startswith(("{", "[", '"')):
        status, body = "200", typed.strip()
    if not (status or "200").isdecimal() or not 100 <= int(status or "200") <= 599:
        return None
    try:
        return WebAnswer(status=int(status or "200"), body=json.decode(body) if body.strip() else None).event(request)
    except DecodeError:
        return None


# --- who answers -----------------------------------------------------------------------------------------------------

WebServices = Callable[[str, Request], Awaitable[ServicesEvent | None]]
"Answers the request of a state; None: a person has to."


def from_file(file: Path | None) -> WebServices:
    """Return what answers from a file, and leaves the rest to a person; raise AnswersError."""
    answers = read_answers(file) if file is not None else AnswerFile(())

    async def answer(state: str, request: Request) -> ServicesEvent | None:
        return answers.next(state, request)

    return answer


def really(settings: Settings) -> WebServices:
    """Return what asks the services themselves, where the settings allow it, those of this machine included."""
    private = [ip_network(network) for network in settings.http_private]
    secrets = secrets_of(settings)

    async def answer(state: str, request: Request) -> ServicesEvent | None:
        service = WebRequest(Egress(settings.http_hosts, [*private, *LOOPBACK]), secrets)
        call = token_hex(16)
        try:
            async with asyncio.timeout(request.timeout):
                return await service.run(Order(call, CallKey("terminal", "", call), request, 1))
        except TimeoutError:
            return ServiceFailed(request.job, "timeout")
        except ServiceError as error:
            return ServiceFailed(request.job, error.code)
        finally:
            await service.close()

    return answer
