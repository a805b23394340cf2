"""One page's line: commands and sound come in, what happens goes out; one call at a time.

Towards the page: the phone's events (`ivr.phone.phone_events`) as JSON with the name in `type`, a prompt's sound as
bytes, what is missing (`Missing`), and what only our own server can tell (`CallProgress`, `Outdated`, `SavedCase`,
`Replayed`, `WrittenScript`, `CommandFailed`).
"""

import asyncio
from typing import TypeAlias

import msgspec
from aiohttp import WSMsgType, web
from msgspec import Struct
from msgspec.structs import replace

from ivr.engine.commands import Transfer
from ivr.engine.pretend import read_time
from ivr.errors import DataUnusable, FlowError, StoreUnavailable
from ivr.phone.callers.script.writing import as_script
from ivr.phone.handset import ANSWERS
from ivr.phone.phone_events import Dialled, Ended, PhoneEvent, PromptAudio, Replied, Sent
from ivr.phone.placed_call import Caller
from ivr.phone.session import Session
from ivr.server.phone.own_bot import CallProgress, CallUnusable, Outdated, OwnBot, SavedCase
from ivr.server.phone.page_commands import (
    BadCommand,
    ConnectCommand,
    DialCommand,
    DownCommand,
    LeaveCommand,
    PageCommand,
    PressCommand,
    ReplayCommand,
    SaveCommand,
    SayCommand,
    UpCommand,
    WriteCommand,
    read_command,
)
from ivr.server.phone.shared_phone import SharedPhone
from ivr.trace.report import as_text
from ivr.trace.verdict import VerdictWord

PIECE = 32 * 1024
"Bytes of sound in one message: a second."
LOOKS = 120
"After the end of a call, twice a second: the longest that a speech engine may take is a minute or so."
MOST_EVENTS = 10_000
"Of one call that are kept for its script: more than an hour of talk has; a page could press keys for ever."


class Replayed(Struct, frozen=True, tag=True):
    """What came of running the call through the flow of now."""

    verdict: VerdictWord
    text: str


class Missing(Struct, frozen=True, tag=True):
    """What of its sound the phone has to do without."""

    what: tuple[str, ...]


class CommandFailed(Struct, frozen=True, tag="Sorry"):
    """A command that could not be carried out."""

    text: str


class WrittenScript(Struct, frozen=True, tag="Written"):
    """The call as a call script."""

    text: str


PageMessage: TypeAlias = (
    PhoneEvent | CallProgress | Outdated | SavedCase | Replayed | WrittenScript | Missing | CommandFailed
)


class PageLine:
    """The line of one page."""

    def __init__(self, shared_phone: SharedPhone, socket: web.WebSocketResponse) -> None:
        self._phone = shared_phone
        self._socket = socket
        self._busy = False
        self._session: Session | None = None
        self._calling: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._comparing: asyncio.Task[None] | None = None
        self._rings: asyncio.Future[int] | None = None
        "What becomes of a transfer, as a SIP status."
        self._call = ""
        "The platform's id of the call, or of the last one."
        self._at: str | None = None
        self._language: str | None = None
        "The time that it was to be for the flow."
        self._events: list[PhoneEvent] = []
        "What happened on it, without sound and messages."

    async def run(self) -> None:
        """Serve until the page goes away; a call that is under way ends with it."""
        try:
            await self._tell(Missing(tuple(self._phone.misses)))
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    self._hear(message.data)
                elif message.type is WSMsgType.TEXT:
                    await self._perform(read_command(message.data))
        except BadCommand as error:
            await self._socket.close(code=1008, message=str(error).encode())
        finally:
            await self._stop()

    # --- from the page ---

    def _hear(self, samples: bytes) -> None:
        if self._session is not None:
            self._session.audio(samples[: len(samples) // 2 * 2])

    async def _perform(self, command: PageCommand) -> None:
        match command:
            case DialCommand(at=at) if wrong := _wrong_time(at):
                await self._tell(CommandFailed(wrong))
            case DialCommand() if not self._busy:
                self._busy = True
                await _cancelled(self._watching)
                if self._calling is not None:
                    await self._calling  # the call is over, and is only being put away
                self._calling = asyncio.create_task(self._place(command))
            case SaveCommand(name=name):
                await self._save(name)
            case ReplayCommand():
                await self._replay()
            case WriteCommand():
                await self._write()
            case _ if self._session is not None:
                self._do(self._session, command)

    def _do(self, session: Session, command: PageCommand) -> None:
        match command:
            case PressCommand(key=key):
                session.press(key)
            case DownCommand(key=key):
                session.key_down(key)
            case UpCommand():
                session.key_up()
            case SayCommand(words=words):
                session.say(words)
            case LeaveCommand():
                session.hang_up()
            case ConnectCommand(answer=answer):
                self._answer_transfer(ANSWERS[answer])

    def _answer_transfer(self, status: int) -> None:
        if self._rings is not None and not self._rings.done():
            self._rings.set_result(status)

    async def _connect(self, _: Transfer) -> int:
        """Let the page say how a transfer goes; it calls nobody."""
        self._rings = asyncio.get_running_loop().create_future()
        return await self._rings

    # --- the call ---

    async def _place(self, dial: DialCommand) -> None:
        try:
            async with self._phone.phone(dial.flow) as (phone, sound):
                who = phone.target.who
                self._at = dial.at or who.at
                self._language = dial.language or None
                language = dial.language or who.language
                who = replace(who, caller=dial.caller or who.caller, at=self._at, language=language)
                await self._hold(Session(phone, sound, connect=self._connect), who)
        except OSError as error:
            await self._tell(Ended("platform", "unreachable", f"The phone cannot call: {error.strerror}."))
        finally:
            self._busy = False

    async def _hold(self, session: Session, who: Caller) -> None:
        """Hold one call to its end."""
        self._session = session
        try:
            session.dial(who)
            async for event in session.events():
                await self._pass_on(event)
        finally:
            self._session = None
            await session.close()

    async def _pass_on(self, event: PhoneEvent) -> None:
        match event:
            case PromptAudio(samples=samples):
                for start in range(0, len(samples), PIECE):
                    await self._send(samples[start : start + PIECE])
            case Sent() | Replied():
                await self._look()
            case Dialled(call=call):
                await _cancelled(self._comparing)
                self._call, self._comparing = call, None
                self._events = [event]
                await self._tell(event)
            case Ended():
                self._busy = False
                self._events.append(event)
                await self._tell(event)
                self._watching = asyncio.create_task(self._watch())
            case _:
                if len(self._events) < MOST_EVENTS:
                    self._events.append(event)
                await self._tell(event)

    async def _look(self) -> bool:
        """Let the page know where the call stands, if that can be known; True: the server is done with the call."""
        if self._phone.own_bot is None:
            return True
        try:
            found = await self._phone.own_bot.progress(self._call)
        except (FlowError, StoreUnavailable, DataUnusable):
            return True  # the picture is a convenience; the call goes on without it
        if found is None:
            return False
        await self._tell(found)
        if self._comparing is None:  # once in a call, and beside it: the file is read
            self._comparing = asyncio.create_task(self._compare(self._phone.own_bot))
        return found.over

    async def _compare(self, own_bot: OwnBot) -> None:
        """Let the page know if what it calls is not what its author sees in the file."""
        try:
            outdated = await own_bot.outdated(self._call)
        except (FlowError, StoreUnavailable, DataUnusable):
            return
        if outdated is not None:
            await self._tell(outdated)

    async def _watch(self) -> None:
        """Look until the server is done: a transcript may come after the caller has left."""
        for _ in range(LOOKS):
            if await self._look():
                return
            await asyncio.sleep(0.5)

    # --- afterwards ---

    async def _save(self, name: str) -> None:
        try:
            told: PageMessage = await self._own_bot().save(self._call, name)
        except (CallUnusable, StoreUnavailable, DataUnusable) as error:
            told = CommandFailed(str(error))
        await self._tell(told)

    async def _replay(self) -> None:
        try:
            report = await self._own_bot().replayed(self._call)
            told: PageMessage = Replayed(report.verdict, as_text(report))
        except (CallUnusable, StoreUnavailable, DataUnusable) as error:
            told = CommandFailed(str(error))
        await self._tell(told)

    async def _write(self) -> None:
        dialled = next((event for event in self._events if isinstance(event, Dialled)), None)
        if dialled is None:
            await self._tell(CommandFailed("There is no call yet."))
            return
        name = "A call from the phone's page"
        text = as_script(self._events, name=name, bot=dialled.url, at=self._at, language=self._language)
        await self._tell(WrittenScript(text))

    def _own_bot(self) -> OwnBot:
        if self._phone.own_bot is None:
            raise CallUnusable("This call went to another bot, so there are no records of it here.")
        return self._phone.own_bot

    # --- to the page ---

    async def _tell(self, told: PageMessage) -> None:
        await self._send(msgspec.json.encode(told).decode())

    async def _send(self, message: str | bytes) -> None:
        if self._socket.closed:
            return
        try:
            if isinstance(message, str):
                await self._socket.send_str(message)
            else:
                await self._socket.send_bytes(message)
        except ConnectionError:
            return  # the page is gone, which `run` sees too

    async def _stop(self) -> None:
        await _cancelled(self._calling)
        await _cancelled(self._watching)
        await _cancelled(self._comparing)


def _wrong_time(text: str) -> str:
    """Return what is wrong with a pretended time; empty: nothing, or none was given."""
    try:
        read_time(text) if text else None
    except ValueError as error:
        return str(error)
    return ""


async def _cancelled(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
