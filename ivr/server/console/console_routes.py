"""The console's addresses: which leads to which page, and who may open it."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from aiohttp import web

from ivr.call_record import CallRecord, Stepped
from ivr.call_search import CallSearch
from ivr.engine.flow import Flow
from ivr.errors import FlowError, UnreadableRow, WebhookError
from ivr.outbox import Outbox, PlatformRequests
from ivr.server.closings import Closings
from ivr.server.connection import let_in
from ivr.server.console.call_details import details_of, playable, trace_rows
from ivr.server.console.call_pages import CallRow, FinishedCall, bare_call_page, call_page, calls_page
from ivr.server.console.console_page import ROOT, document, heading, page_reply
from ivr.server.console.counting import Counts
from ivr.server.console.counting_over_time import CountsOverTime
from ivr.server.console.figures import CallFigures, FiguresByCall
from ivr.server.console.figures_page import HERE as FIGURES
from ivr.server.console.figures_page import SPANS, figures_page
from ivr.server.console.flow_names import FlowNames
from ivr.server.console.flow_pages import PERIODS, Version, flow_page, flows_page, openings
from ivr.server.console.found_calls import EXPORT, SEARCH
from ivr.server.console.login import Sessions
from ivr.server.console.playback import Playback, audio_reply
from ivr.server.console.search_pages import SearchPages
from ivr.server.console.voicemail_pages import DONE, OPEN, VOICEMAILS, VoicemailPages
from ivr.server.flow_registry import FlowRegistry
from ivr.server.html import Html, tag
from ivr.server.origin import require_own_page
from ivr.server.refusals import Refusals
from ivr.server.replies import not_found
from ivr.server.small_forms import SmallForms
from ivr.server.static_files import static_reply
from ivr.storage import Archive, FlowCalls
from ivr.trace.case import CaseError
from ivr.voicemails import Voicemails

log = logging.getLogger(__name__)

LOGIN, LOGOUT = f"{ROOT}/login", f"{ROOT}/logout"

WEEK = 7 * 86400.0
LISTED = 50
"Finished calls on the first page."
LIVE = 200
"Live calls on it."

_CALL = re.compile(rf"{ROOT}/calls/([0-9a-f]{{32}})")
_AUDIO = re.compile(rf"{ROOT}/audio/([0-9a-f]{{32}})/(\d{{1,3}})")
_LEADS_ON = re.compile(rf"{ROOT}/(calls(/[0-9a-f]{{32}})?|flows(/[A-Za-z0-9_.-]{{1,100}})?|voicemails|figures)")
"Pages that a login leads on to; an address from outside is never followed."


class Console:
    """All pages."""

    def __init__(
        self,
        *,
        archive: Archive,
        search: CallSearch,
        voicemails: Voicemails,
        outbox: Outbox,
        requests: PlatformRequests,
        counts: Counts,
        over_time: CountsOverTime,
        registry: FlowRegistry,
        closings: Closings,
        playback: Playback,
        sessions: Sessions,
        now: Callable[[], float],
        channels: Sequence[str] = (),
        development: bool = False,
        refusals: Refusals | None = None,
    ) -> None:
        """`channels`: the names of those that are on. `development`: there are a start page and a phone, to lead to."""
        self._archive = archive
        self._outbox = outbox
        self._requests = requests
        self._counts = counts
        self._times = over_time
        self._registry = registry
        self._closings = closings
        self._playback = playback
        self._sessions = sessions
        self._now = now
        self._figures = FiguresByCall(archive)
        self._names = FlowNames(registry, search)
        self._voicemails = VoicemailPages(voicemails, registry.get, now=now, development=development)
        self._searching = SearchPages(search, self._names, channels=channels, now=now, development=development)
        self._forms = SmallForms()
        self._development = development
        self._refusals = refusals or Refusals()

    @staticmethod
    def owns(path: str) -> bool:
        """Return whether an address is the console's."""
        return path == ROOT or path.startswith(f"{ROOT}/")

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; raise StoreUnavailable if what it asks for cannot be read."""
        try:
            return await self._route(request)
        except WebhookError as error:
            allow = {"Allow": "GET, HEAD"} if error.status == 405 else {}
            here = "" if await self._sessions.of(request) else None
            return page_reply(
                document("Error", _sorry(error), here=here, development=self._development), status=error.status, **allow
            )

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.path
        if request.method == "POST":
            return await self._posted(request, path)
        if request.method not in {"GET", "HEAD"}:
            raise WebhookError(405, "method", "Nothing can be sent here.")
        if path.startswith(f"{ROOT}/static/"):
            return static_reply(path.removeprefix(f"{ROOT}/static/"), request)
        session = await self._sessions.of(request)
        if path == f"{ROOT}/":
            return _sent_to(ROOT)
        if path == LOGIN:
            return page_reply(_login_page(development=self._development))
        if session is None:
            return self._stranger(request, path)
        let_in(request)
        if audio := _AUDIO.fullmatch(path):
            return await self._audio(request, session, audio[1], int(audio[2]))
        if path == EXPORT:
            return await self._searching.export(request)
        return page_reply(await self._page(request, session, path))

    async def _page(self, request: web.BaseRequest, session: str, path: str) -> Html:
        query = request.rel_url.query
        if path == ROOT:
            return await self._calls()
        if path == VOICEMAILS:
            return await self._voicemails.page(request, partial(self._recording, session))
        if path == FIGURES:
            return await self._over_time(query.get("period", "week"), query.get("flow", ""))
        if path == SEARCH:
            return await self._searching.page(request, self._registry.names)
        if call := _CALL.fullmatch(path):
            return await self._call(call[1], session)
        if path == f"{ROOT}/flows":
            return await self._flows()
        if path.startswith(f"{ROOT}/flows/"):
            name = path.removeprefix(f"{ROOT}/flows/")
            return await self._flow(name, query.get("period", "week"), query.get("version"))
        raise not_found()

    # --- coming in ---

    async def _posted(self, request: web.BaseRequest, path: str) -> web.Response:
        if path not in {LOGIN, LOGOUT, DONE, OPEN}:
            raise WebhookError(405, "method", "Nothing can be sent here.")
        require_own_page(request)
        if path in {DONE, OPEN}:
            return await self._marked(request, path)
        if path == LOGOUT:
            await self._sessions.leave(request)
            return _sent_to(LOGIN, Set_Cookie=self._sessions.cookie(None))
        given = await self._forms.field(request, "token")
        try:
            secret = await self._sessions.enter(given)
        except WebhookError as error:
            self._refusals.report(
                "console login refused", reason=error.code, status=error.status, level=logging.WARNING
            )
            return page_reply(_login_page(error.message, development=self._development), status=error.status)
        let_in(request)
        log.info("console login")
        return _sent_to(self._wanted(request), Set_Cookie=self._sessions.cookie(secret))

    async def _marked(self, request: web.BaseRequest, path: str) -> web.Response:
        """Mark a voicemail; only who is logged in can."""
        if await self._sessions.of(request) is None:
            return self._stranger(request, VOICEMAILS)
        let_in(request)
        call, number = await self._voicemails.named_in(request)
        record, trace = await self._stored(call)
        try:
            return _sent_to(await self._voicemails.mark(path, record, trace, number))
        except FlowError as error:
            raise not_found() from error

    def _stranger(self, request: web.BaseRequest, path: str) -> web.Response:
        """Send a person to the login; a script or a player is only told."""
        if "X-Refresh" in request.headers or path.startswith(f"{ROOT}/audio/"):
            raise WebhookError(401, "login", "Log in first.")
        return _sent_to(LOGIN, Set_Cookie=self._sessions.wish(path if _LEADS_ON.fullmatch(path) else None))

    def _wanted(self, request: web.BaseRequest) -> str:
        """Return the page that somebody wanted to see before the login."""
        wanted = self._sessions.wished(request)
        return wanted if _LEADS_ON.fullmatch(wanted) else ROOT

    # --- pages ---

    async def _calls(self) -> Html:
        now = self._now()
        live = await self._archive.live(limit=LIVE)
        over = await self._archive.finished(since=now - WEEK, limit=LISTED)
        finished = [FinishedCall(await self._shown(one), known) for one in over if (known := await self._counted(one))]
        shown = [await self._shown(one) for one in live]
        open_calls = await self._archive.count("live")
        return calls_page(
            shown,
            finished,
            open_calls=open_calls,
            dead=await self._outbox.count("dead"),
            dead_requests=await self._requests.count("dead"),
            now=now,
            development=self._development,
        )

    async def _counted(self, record: CallRecord) -> CallFigures | None:
        """Count a call; one that cannot be read is left to `ivr calls damaged`."""
        try:
            return await self._figures.of(record)
        except UnreadableRow:
            return None

    async def _shown(self, record: CallRecord) -> CallRow:
        return CallRow(record, await self._names.of(record.call.flow))

    async def _call(self, call: str, session: str) -> Html:
        record, trace = await self._stored(call)
        try:
            flow = await self._registry.get(record.call.flow)
            details = details_of(record, trace, flow)
        except (FlowError, CaseError) as error:
            return bare_call_page(record, trace_rows(trace), str(error), now=self._now(), development=self._development)

        address = partial(self._recording, session, call)
        return call_page(record, flow, details, address, now=self._now(), development=self._development)

    def _recording(self, session: str, call: str, number: int) -> str:
        """Return the address at which a recording can be heard in this session."""
        return f"{ROOT}/audio/{call}/{number}?seal={self._sessions.seal(session, f'{call}/{number}')}"

    async def _stored(self, call: str) -> tuple[CallRecord, Sequence[Stepped]]:
        try:
            record, trace = await self._archive.call(call), await self._archive.trace(call)
        except UnreadableRow as error:
            raise WebhookError(503, "damaged", f"This call cannot be shown: {error}.") from error
        if record is None:
            raise not_found()
        return record, trace

    async def _audio(self, request: web.BaseRequest, session: str, call: str, number: int) -> web.Response:
        self._sessions.check(session, f"{call}/{number}", request.rel_url.query.get("seal", ""))
        record, trace = await self._stored(call)
        try:
            flow = await self._registry.get(record.call.flow)
        except FlowError as error:
            raise not_found() from error
        media = playable(trace, flow, number)
        if media is None:
            raise not_found()
        return audio_reply(await self._playback.wav(media), request)

    async def _flows(self) -> Html:
        calls: Counter[str] = Counter()
        listed = await self._counts.flows(self._now() - WEEK)
        for one in listed.flows:
            calls[await self._names.of(one.flow)] += one.calls
        return flows_page(
            self._registry.all(),
            calls,
            closings=self._closings,
            pending=listed.pending,
            development=self._development,
        )

    async def _over_time(self, span: str, flow: str) -> Html:
        if span not in SPANS:
            raise not_found()
        hashes = await self._names.hashes(flow) if flow else None
        chosen = SPANS[span]
        period = await self._times.period(self._now(), width=chosen.width, number=chosen.number, flows=hashes)
        names = {*self._registry.names, *[await self._names.of(one) for one in period.flows]}
        return figures_page(period, span=span, flow=flow, flows=sorted(names), development=self._development)

    async def _flow(self, name: str, period: str, version: str | None) -> Html:
        if period not in PERIODS:
            raise not_found()
        since = self._now() - PERIODS[period][1]
        registered = next((one for one in self._registry.all() if one.flow and one.flow.name == name), None)
        served = registered.flow.hash if registered and registered.flow else ""
        taken = {
            one.flow: one for one in (await self._counts.flows(since)).flows if await self._names.of(one.flow) == name
        }
        wanted = version or served or next(iter(taken), "")
        flow = await self._known(wanted)
        if flow.name != name:
            raise not_found()
        versions = [_version(one, taken.get(one), served) for one in dict.fromkeys([served or wanted, *taken, wanted])]
        counted = await self._counts.figures(flow, since)
        fault, doubts = (registered.fault, registered.doubts) if registered else ("", "")
        hours = openings(flow, self._closings, self._now())
        return flow_page(
            flow,
            versions,
            counted,
            period=period,
            fault=fault,
            doubts=doubts if flow.hash == served else "",
            hours=hours,
            development=self._development,
        )

    async def _known(self, hash_: str) -> Flow:
        if not hash_:
            raise not_found()
        try:
            return await self._registry.get(hash_)
        except FlowError as error:
            raise WebhookError(404, "lost-flow", f"This version cannot be shown: {error}.") from error


def _version(hash_: str, taken: FlowCalls | None, served: str) -> Version:
    return Version(hash_, taken.calls if taken else 0, taken.last if taken else 0.0, hash_ == served)


def _sorry(error: WebhookError) -> Html:
    leads_on = tag("p", tag("a", "Back to the calls", href=ROOT))
    return tag("section", tag("div", heading("Error"), tag("p", error.message), leads_on, class_="body"),
               class_="sheet enter")  # fmt: skip


def _login_page(wrong: str = "", *, development: bool = False) -> Html:
    field = tag("input", name_="token", type_="password", autocomplete="current-password", required=True,
                autofocus=True, class_="field", id_="token", aria_describedby="hint")  # fmt: skip
    form = tag(
        "form",
        tag("label", "Console token", for_="token"),
        field,
        tag("p", wrong, class_="wrong", role="alert") if wrong else None,
        tag("button", "Log in", class_="button strong"),
        tag("p", "The server's setting IVR_CONSOLE_TOKEN. In development mode, the server prints it when it starts.",
            class_="soft", id_="hint"),
        method="post",
        action=LOGIN,
    )  # fmt: skip
    inner = tag("div", heading("ivr console"), form, class_="body")
    return document("Log in", tag("section", inner, class_="sheet enter"), script="login.js", development=development)


def _sent_to(path: str, **more: str) -> web.Response:
    return page_reply(document("Moved", tag("a", "Continue", href=path)), status=303, Location=path, **more)
