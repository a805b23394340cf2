"""What stands between the port and the disk: data folder, store, flows, recordings, the worker, and the turns.

It is the same for every channel, and names none.
"""

import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from msgspec import Struct

from ivr.audio.workers import Workers
from ivr.capabilities import Capabilities
from ivr.engine.actions.record import TRANSCRIBE
from ivr.engine.commands import FETCH
from ivr.engine.secret_values import Secrets
from ivr.engine.sign_in_orders import SIGN_IN
from ivr.engine.web_orders import HTTP
from ivr.flowfile.checks import Provided
from ivr.flowfile.load import load_flow
from ivr.ports import Channel, SpeechToText
from ivr.server.app import MEDIA
from ivr.server.arrivals import Arrivals
from ivr.server.closings import Closings
from ivr.server.flow_registry import FlowRegistry
from ivr.server.jobs import Worker
from ivr.server.notifier import Notifier
from ivr.server.platform_requests import PlatformRequestWorker
from ivr.server.plugs import SOURCES, sources_on
from ivr.server.plugs.off import ChannelThatIsOff
from ivr.server.plugs.plug import Plug, Surroundings
from ivr.server.recording_links import RecordingLinks
from ivr.server.senders import make_senders
from ivr.server.settings_provided import egress_of, provided_by
from ivr.server.sign_in.sign_in_setup import SignInParts, open_sign_in
from ivr.server.speech_abilities import concurrency_of, missing_of, phrases_of
from ivr.server.telemetry.job_watch import JobWatch, Watch
from ivr.services.caller_sign_in import AT_ONCE as SIGN_INS_AT_ONCE
from ivr.services.caller_sign_in import SignInService
from ivr.services.egress import AT_ONCE, Egress
from ivr.services.platform_api import Api
from ivr.services.pretended_sign_ins import PretendedSignIns
from ivr.services.recording_fetch import RecordingFetch
from ivr.services.service import Service
from ivr.services.transcription import Transcription
from ivr.services.web_request import WebRequest
from ivr.settings import Settings, location_of, secrets_of
from ivr.sign_in_ports import SignIns
from ivr.speech_settings import engine_of, load_models
from ivr.store.data_folder import DataFolder
from ivr.store.location import StoreLocation
from ivr.store.opened import Opened, Opener
from ivr.store.opening import open_store
from ivr.turn import TurnsInMemory

log = logging.getLogger(__name__)


class Backend(Struct, frozen=True):
    """The parts, each standing on those before it."""

    folder: DataFolder
    store: Opened
    "Calls, recordings and all else that is stored."
    registry: FlowRegistry
    arrivals: Arrivals
    closings: Closings
    links: RecordingLinks
    plugs: Sequence[Plug]
    "The channels that are on."
    sign_in: SignInParts
    worker: Worker
    turns: TurnsInMemory


async def open_backend(
    stack: AsyncExitStack,
    settings: Settings,
    paths: Sequence[Path],
    *,
    public: str,
    lines: Mapping[str, Capabilities],
    dev: bool,
    pretends: bool = False,
    opener: Opener = open_store,
    watch: Watch | None = None,
) -> Backend:
    """Hold the store and open it, load the flows, begin with the work that was left.

    Flows are checked against what each of `lines` can do. `public` is the address under which others reach this server.
    `dev`: all flows have to be without errors, and all channels are on. `pretends`, and `dev` likewise: flows are tried
    out, so web services may be on this machine, and without a mail server, mails are written into a folder. `watch` is
    told of turns and jobs.

    `opener` opens the store, which several servers may share.

    `stack` closes the parts, the last one first, so that each stands on what it needs until it has ended.
    """
    trial = dev or pretends
    speech = await _load_speech(stack, settings)
    location = location_of(settings)
    folder = stack.enter_context(location.hold())
    opened = await _open_store(stack, location, opener)
    secret_values, egress = secrets_of(settings), egress_of(settings, dev=trial)
    provided = provided_by(settings, secret_values, egress, pretends=trial)
    registry = await _open_registry(settings, secret_values, paths, opened, lines=lines, provided=provided, strict=dev)
    arrivals = Arrivals(opened.coordination)
    closings = _read_closings(settings, folder, registry)
    links = RecordingLinks(public, opened.link_key)
    plugs = _make_plugs(settings, opened, folder, links, public=public, dev=dev, trial=trial)
    sign_in = await open_sign_in(stack, settings, opened, folder, public=public, dev=dev)
    pretended = trial and settings.sign_in_client_id is None
    workers = _make_workers(
        stack,
        settings,
        opened,
        plugs,
        speech=speech,
        secret_values=secret_values,
        egress=egress,
        links=links,
        sign_ins=PretendedSignIns() if pretended else sign_in.calls,
        mails=folder.mail if trial else None,
        watch=watch,
    )
    turns = TurnsInMemory(
        store=opened.calls,
        channels=_channels(plugs),
        flows=registry,
        jobs=workers.jobs,
        notifier=workers.notifier,
        requests=workers.requests,
        uploads=arrivals,
        closings=closings,
        now=time.time,
        mint=lambda: secrets.token_hex(16),
        idle=settings.idle,
        grace=settings.recording_wait,
        budget=settings.reply_budget,
        states=opened.states,
        watch=watch,
    )
    workers.start(stack, turns)
    return Backend(folder, opened, registry, arrivals, closings, links, plugs, sign_in, workers.jobs, turns)


class _Workers(Struct, frozen=True):
    """Who carries out what turns order."""

    jobs: Worker
    "Asks services, and wakes the call with the answer."
    notifier: Notifier
    requests: PlatformRequestWorker

    def start(self, stack: AsyncExitStack, turns: TurnsInMemory) -> None:
        """Begin, with what was left first; `stack` ends each."""
        self.jobs.start(turns.wake)
        stack.push_async_callback(self.jobs.close)
        self.notifier.start()
        stack.push_async_callback(self.notifier.close)
        self.requests.start(turns.answered)
        stack.push_async_callback(self.requests.close)


def _make_workers(
    stack: AsyncExitStack,
    settings: Settings,
    opened: Opened,
    plugs: Sequence[Plug],
    *,
    speech: SpeechToText,
    secret_values: Secrets,
    egress: Egress,
    links: RecordingLinks,
    sign_ins: SignIns,
    mails: Path | None,
    watch: JobWatch | None,
) -> _Workers:
    """Make them, with all by which they ask outside. `mails`: where mails are written if there is no mail server."""
    web = WebRequest(egress, secret_values, bearers=sign_ins)
    stack.push_async_callback(web.close)
    senders = make_senders(stack, settings, opened.recordings, links, egress=egress, mails=mails)
    apis = _apis(stack, plugs)
    services: Mapping[str, Service] = {
        TRANSCRIBE: Transcription(speech, opened.recordings),
        HTTP: web,
        FETCH: RecordingFetch(apis, opened.recordings, largest=settings.max_recording),
        SIGN_IN: SignInService(sign_ins),
    }
    limits = {TRANSCRIBE: concurrency_of(settings), HTTP: AT_ONCE, FETCH: AT_ONCE, SIGN_IN: SIGN_INS_AT_ONCE}
    return _Workers(
        Worker(opened.calls, services, news=opened.news, limits=limits, watch=watch),
        Notifier(opened.outbox, senders, watch=watch),
        PlatformRequestWorker(opened.requests, apis, watch=watch),
    )


def _make_plugs(
    settings: Settings,
    opened: Opened,
    folder: DataFolder,
    links: RecordingLinks,
    *,
    public: str,
    dev: bool,
    trial: bool,
) -> Sequence[Plug]:
    here = Surroundings(
        public=public,
        media=f"{public}{MEDIA}".rstrip("/"),
        links=links,
        token_key=opened.token_key,
        folder=folder,
        dev=dev,
        pretends=trial,
        mailbox=opened.mailbox,
        news=opened.news,
        coordination=opened.coordination,
    )
    return [source.make(settings, here) for source in sources_on(settings, dev=dev)]


def _apis(stack: AsyncExitStack, plugs: Sequence[Plug]) -> Mapping[str, Api]:
    """Return the APIs of the channels' platforms by the channel's name."""
    apis = {plug.channel.name: plug.api for plug in plugs if plug.api is not None}
    for api in apis.values():
        stack.push_async_callback(api.close)
    return apis


def _channels(plugs: Sequence[Plug]) -> Mapping[str, Channel]:
    """Return all channels by name: of one that is off, calls may still be under way."""
    off = {source.name: ChannelThatIsOff(source.name, source.can) for source in SOURCES}
    return {**off, **{plug.channel.name: plug.channel for plug in plugs}}


async def _load_speech(stack: AsyncExitStack, settings: Settings) -> SpeechToText:
    """Make the speech engine, with its models in its worker processes, where it has any."""
    processes = Workers()
    stack.push_async_callback(processes.close)
    speech = engine_of(settings, processes)
    await load_models(processes)
    return speech


async def _open_store(stack: AsyncExitStack, location: StoreLocation, opener: Opener) -> Opened:
    opened = await opener(location)
    stack.push_async_callback(opened.close)
    for call, what in opened.set_aside:
        log.error("call set aside", extra={"call": call, "reason": what})
    return opened


async def _open_registry(
    settings: Settings,
    secret_values: Secrets,
    paths: Sequence[Path],
    opened: Opened,
    *,
    lines: Mapping[str, Capabilities],
    provided: Provided,
    strict: bool,
) -> FlowRegistry:
    missing = None if settings.stt == "none" else missing_of(settings)  # "none" says by itself that there are no words
    load = partial(
        load_flow,
        default_zone=settings.zone,
        lines=lines,
        missing=missing,
        phrases=phrases_of(settings),
        provided=provided,
    )
    registry = FlowRegistry(
        opened.calls,
        paths,
        load=load,
        default=settings.default_flow,
        routes=settings.routes,
        secrets=secret_values,
    )
    await registry.open(strict=strict)
    await registry.restore(opened.flows_under_way)
    return registry


def _read_closings(settings: Settings, folder: DataFolder, registry: FlowRegistry) -> Closings:
    closings = Closings(folder.closed, settings.closed)
    closings.log_start({name for flow in registry.all() if flow.flow for name in flow.flow.all_calendars})
    return closings
