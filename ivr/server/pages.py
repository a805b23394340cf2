"""How the pages for people are made: the console, and in development mode the phone that calls this very server."""

import hmac
import secrets
import time
from contextlib import AsyncExitStack
from pathlib import Path

from ivr.audio.workers import Workers
from ivr.auth.bot_tokens import AnyBot, BotVerifier
from ivr.auth.keys import KeyRing
from ivr.callable_targets import CallableTargets
from ivr.media.installed import missing, sound_of_parts
from ivr.media.sound import Sound
from ivr.phone.platform import Platform, Target
from ivr.ports import CallingChannel
from ivr.server.backend import Backend
from ivr.server.bot_state_pages import BotStatePages
from ivr.server.call_order_pages import CallOrderPages
from ivr.server.console.console_routes import LOGIN, Console
from ivr.server.console.counting import Counts
from ivr.server.console.counting_over_time import CountsOverTime
from ivr.server.console.login import Sessions
from ivr.server.console.playback import Playback
from ivr.server.phone.own_bot import OwnBot
from ivr.server.phone.routes import PhonePages
from ivr.server.phone.shared_phone import SharedPhone
from ivr.server.placing import CallLimits, Placing
from ivr.server.plugs.plug import Plug
from ivr.server.recording_files import RecordingFiles
from ivr.server.recording_pages import RecordingPages
from ivr.server.refusals import Refusals
from ivr.server.wav_assets import WavAssets
from ivr.settings import Settings, SettingsError
from ivr.speech_settings import live_ear, live_voice, load_models


def console_token(settings: Settings, *, dev: bool) -> str | None:
    """Return what opens the console; in development mode a new one, unless one is set. None: there is no console."""
    if settings.console_token:
        return settings.console_token.get_secret_value()
    return secrets.token_urlsafe(16) if dev else None


def console_address(settings: Settings, address: str, token: str | None) -> str | None:
    """Return the console's address; a token that was made just now stands behind `#`, which no log sees."""
    if token is None:
        return None
    return f"{address}{LOGIN}" if settings.console_token else f"{address}{LOGIN}#{token}"


def make_recording_pages(stack: AsyncExitStack, backend: Backend) -> RecordingPages:
    """Make the addresses of recordings, with a worker of their own: a stranger's file must not hold up calls."""
    workers = Workers(size=1)
    stack.push_async_callback(workers.close)
    return RecordingPages(backend.links, RecordingFiles(backend.store.recordings, workers), now=time.time)


def make_wav_assets(stack: AsyncExitStack, backend: Backend) -> WavAssets:
    """Make the addresses of prompt files as WAV, with a worker of their own."""
    workers = Workers(size=1)
    stack.push_async_callback(workers.close)
    return WavAssets(backend.registry.asset, workers)


def make_call_order_pages(settings: Settings, backend: Backend) -> CallOrderPages | None:
    """Make the addresses at which calls are ordered; None: there is no token for them."""
    if settings.calls_token is None:
        return None
    calling = [plug for plug in backend.plugs if isinstance(plug.channel, CallingChannel)]
    placing = Placing(
        accounts={plug.channel.name: plug.account for plug in calling},
        unset={plug.channel.name: plug.places_with for plug in calling if plug.api is None},
        turns=backend.turns,
        store=backend.store.calls,
        archive=backend.store.archive,
        flows=backend.registry,
        targets=CallableTargets(settings.call_targets),
        callers=settings.call_callers,
        limits=CallLimits(settings.calls_per_minute, settings.calls_at_once),
        now=time.time,
    )
    return CallOrderPages(placing, settings.calls_token.get_secret_value())


async def make_bot_state_pages(
    stack: AsyncExitStack, settings: Settings, backend: Backend, *, dev: bool
) -> BotStatePages | None:
    """Make the state service; None: no bot is served. Raises SettingsError. In development bots need no token."""
    if not dev and not settings.bot_state_apps:
        return None
    bots: AnyBot | BotVerifier = AnyBot()
    if not dev:
        try:
            keys = KeyRing(
                settings.bot_state_openid_metadata,
                file=backend.folder.bot_keys,
                allow_loopback=settings.openid_loopback,
            )
        except ValueError as error:
            raise SettingsError(f"IVR_BOT_STATE_OPENID_METADATA: {error}") from error
        await keys.start(now=time.time())
        stack.push_async_callback(keys.close)
        bots = BotVerifier(
            settings.bot_state_apps,
            keys,
            issuers=settings.bot_state_issuers,
            audience=settings.bot_state_audience,
        )
    return BotStatePages(backend.store.states, bots, most=settings.bot_state_records, now=time.time_ns)


def make_console(stack: AsyncExitStack, backend: Backend, token: str, refusals: Refusals, *, dev: bool) -> Console:
    """Make the console, with a worker of its own: what people look at must not hold up calls."""
    store, workers = backend.store, Workers(size=1)
    stack.push_async_callback(workers.close)
    return Console(
        archive=store.archive,
        search=store.search,
        voicemails=store.voicemails,
        outbox=store.outbox,
        requests=store.requests,
        counts=Counts(store.archive),
        over_time=CountsOverTime(store.archive, store.search),
        registry=backend.registry,
        closings=backend.closings,
        channels=[plug.channel.name for plug in backend.plugs],
        playback=Playback(store.recordings, workers),
        sessions=Sessions(
            token,
            store.coordination,
            key=hmac.digest(store.link_key, b"console", "sha256"),
            now=time.time,
            plain=dev,
        ),
        now=time.time,
        development=dev,
        refusals=refusals,
    )


async def make_phone(
    stack: AsyncExitStack,
    settings: Settings,
    backend: Backend,
    address: str,
    plug: Plug,
    *,
    cases: Path,
) -> PhonePages:
    """Make the phone that calls on a line of this server as its platform would; it keeps calls in `cases`.

    Raises SettingsError.
    """
    workers = Workers()
    stack.push_async_callback(workers.close)
    voice, ear = live_voice(settings, workers), live_ear(settings, workers)
    await load_models(workers)

    def sound(phone: Platform) -> Sound:
        return sound_of_parts(voice, ear, workers, phone.fetch)

    path = next(endpoint.path for endpoint in plug.channel.endpoints if endpoint.named)
    url, name = f"{address}{path}", plug.channel.name
    own = OwnBot(url, plug.account, name, backend.store.calls, backend.store.archive, backend.registry, cases)
    misses = missing(voice=voice, ear=ear)
    return PhonePages(
        SharedPhone(Target(own.address(""), transfers=None, questions=True), own_bot=own, sound=sound, misses=misses)
    )
