"""Puts a gateway together from its settings, and takes it apart in the end."""

import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from ipaddress import ip_network

from ivr.gateway.admission import AdmissionRules
from ivr.gateway.apology import TEXTS, TO_CALLED, apology_samples
from ivr.gateway.gateway import Gateway, codecs_now
from ivr.gateway.gateway_call import Apologies, CallServices
from ivr.gateway.gateway_settings import GatewaySettings, password_of, plan_of
from ivr.gateway.metrics import Snapshot, written
from ivr.gateway.numbers import NumberPlan, hosts
from ivr.gateway.order_door import OrderDoor, order_door
from ivr.gateway.order_rules import order_rules_of, registration_order_of
from ivr.gateway.order_settings import orders_token_of
from ivr.gateway.setting_texts import is_loopback, listen_parts, port_range
from ivr.gateway.status_pages import Health, status_pages
from ivr.gateway.trunk_registration import TrunkRegistration
from ivr.media.payload_cache import PayloadCache
from ivr.media.sound import Sound
from ivr.phone.net.guard import AddressNotAllowed, Guard
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.net.post import WebPost
from ivr.phone.platform import Platform, Target, platform
from ivr.rtp.codecs import payloads
from ivr.setting_sources import SettingsError, host_port_of
from ivr.sip.addresses import host_port
from ivr.sip.policy import EndpointConfig
from ivr.speech_settings import SpeechSettings, live_sound, load_models
from ivr.useragent.configuration import ListenAddress, PortRange, TlsFiles, UserAgentConfig
from ivr.useragent.open_files import make_room_for
from ivr.useragent.user_agent import UserAgent, user_agent

log = logging.getLogger(__name__)

RETRIES = 10_000
"Repeats of a message, at most: the time for them is over before."
RETRY_MOST = 2.0
"Seconds between two tries, at most: a caller should not wait long for a bot that has restarted."
CONNECTIONS_BESIDE = 50
"Connections to bots, beyond one for each call: files of prompts, notifications."
FILES_A_CALL, FILES_BESIDE = 3, 100
"Open files: two ports for sound and a connection to the bot for each call; what else a process needs."


class RunningGateway:
    """A gateway that takes calls; made by `running_gateway`."""

    def __init__(
        self,
        gateway: Gateway,
        agent: UserAgent,
        phone: Platform,
        *,
        registration: TrunkRegistration | None,
        missing: Sequence[str],
        orders: str | None = None,
    ) -> None:
        self.plan = gateway.plan
        self.metadata = phone.metadata
        "The address of the OpenID metadata, for bots that check tokens."
        self.signed = phone.target.signed
        "Whether the bot probably checks tokens: a setting for them was given."
        self.missing = missing
        "Sentences on what cannot be done here."
        self.orders = orders
        "The address below which calls are ordered, with the port that was found; None: nowhere."
        self._gateway = gateway
        self._agent = agent
        self._registration = registration

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where SIP is taken, with the ports that were found."""
        return tuple(
            f"{one.transport}://{f'[{one.host}]' if ':' in one.host else one.host}:{one.port}"
            for one in self._agent.addresses
        )

    @property
    def health(self) -> Health:
        """How the gateway is."""
        return Health(self._gateway.metrics.calls, self._gateway.policy.draining)

    def metrics(self) -> bytes:
        """Return the counters as text for Prometheus."""
        late = self._agent.lateness
        now = Snapshot(
            lateness=(late.BOUNDS, late.counts, late.seconds),
            codecs=codecs_now(self._agent.legs.values()),
            answers=self._agent.answers,
            registered=self._registration.held if self._registration else None,
            draining=self._gateway.policy.draining,
        )
        return written(self._gateway.metrics, now)

    async def drain(self, patience: float) -> None:
        """Take no more calls, let those that there are end within `patience` seconds, and hang up the rest."""
        self._agent.unregister()
        await self._gateway.drain(patience)

    def reload_certificate(self) -> None:
        """Read the certificate again, for connections from now on; one that cannot be used changes nothing."""
        try:
            self._agent.reload_tls()
        except OSError as error:
            log.warning("certificate not loaded", extra={"reason": str(error)})
        else:
            log.info("certificate loaded")


@asynccontextmanager
async def running_gateway(settings: GatewaySettings, speech: SpeechSettings) -> AsyncIterator[RunningGateway]:
    """Run a gateway as long as the context lasts; raise SettingsError, or OSError if a port cannot be had."""
    plan = plan_of(settings)
    guard = Guard(settings.allow)
    await _check_hosts(plan, guard)
    _make_room_for(settings.calls)
    gateway = Gateway(plan, rules_of(settings), order_rules_of(settings), language=settings.language)
    async with AsyncExitStack() as stack:
        status = _bound(stack, settings.status, "IVR_GATEWAY_STATUS")
        orders = _bound(stack, settings.orders, "IVR_GATEWAY_ORDERS")
        web = WebPost(guard, connections=settings.calls + CONNECTIONS_BESIDE)
        stack.push_async_callback(web.close)
        phone = await stack.enter_async_context(platform(target_of(settings), post=web))
        sound = live_sound(speech, phone.workers, phone.fetch)
        await load_models(phone.workers)
        apologies = await _apologies(settings, phone, sound)
        gateway.services = CallServices(phone, sound, PayloadCache(payloads), apologies, gateway.metrics)
        agent = await _listen(stack, settings, gateway)
        stack.push_async_callback(gateway.close)
        registered = registration_order_of(settings)
        registration = None if registered is None else TrunkRegistration(registered, gateway.policy.trust)
        if registration is not None:
            await registration.begin(agent)
        running = RunningGateway(
            gateway,
            agent,
            phone,
            registration=registration,
            missing=_missing(apologies, sound),
            orders=f"http://{host_port(*orders.getsockname()[:2])}" if orders else None,
        )
        if status is not None:
            pages = status_pages(status, health=lambda: running.health, metrics=running.metrics)
            await stack.enter_async_context(pages)
        if orders is not None:
            door = OrderDoor(
                orders_token_of(settings),
                take=lambda order: gateway.order(order, agent),
                refused=lambda why: gateway.metrics.orders_refused.update((why,)),
            )
            await stack.enter_async_context(order_door(orders, door))
        log.info("taking calls")
        yield running
    log.info("stopped")


async def _listen(stack: AsyncExitStack, settings: GatewaySettings, gateway: Gateway) -> UserAgent:
    """Take SIP at the addresses of the settings; raise SettingsError if one cannot be had."""
    try:
        return await stack.enter_async_context(user_agent(agent_config(settings), gateway.policy, gateway.take))
    except OSError as error:
        raise SettingsError(
            f"SIP cannot be taken at {', '.join(settings.sip)}: {error.strerror or error}. Other addresses: --sip"
        ) from error


def rules_of(settings: GatewaySettings) -> AdmissionRules:
    """Return who may call."""
    return AdmissionRules(
        named=tuple(ip_network(network) for network in settings.allow_from),
        only_here=all(is_loopback(address) for address in settings.sip),
        user=settings.user or "",
        password=password_of(settings),
        calls=settings.calls,
        calls_per_address=settings.calls_per_address or settings.calls,
        invites_per_second=settings.invites_per_second,
    )


def target_of(settings: GatewaySettings) -> Target:
    """Return the bot, and how far the gateway goes for it."""
    limits = PhoneLimits(
        call_length=settings.call_length,
        answer_time=settings.answer_time,
        retries=RETRIES,
        retry_most=RETRY_MOST,
        give_up=settings.retry_time,
    )
    return Target(
        settings.bot, settings.app_id, settings.allow, limits, settings.identity_port, settings.key,
        language=settings.language, transfers=settings.allow_transfer, questions=True,
    )  # fmt: skip


def agent_config(settings: GatewaySettings) -> UserAgentConfig:
    """Return what the SIP endpoint is given."""
    first, last = port_range(settings.rtp)
    return UserAgentConfig(
        listen=tuple(ListenAddress(*listen_parts(address)) for address in settings.sip),
        rtp=PortRange(first, last),
        advertised=settings.advertise,
        endpoint=EndpointConfig(
            codecs=settings.codecs,
            algorithms=settings.digest,
            srtp=find_spec("pylibsrtp") is not None,
            srtp_without_tls=settings.srtp_without_tls,
            most_calls=settings.calls,
            most_unanswered=settings.ringing_per_address,
        ),
        tls=TlsFiles(settings.tls_certificate, settings.tls_key, settings.tls_authorities),
    )


async def _check_hosts(plan: NumberPlan, guard: Guard) -> None:
    """Refuse bots at hosts that were not allowed, before a caller finds out; raise SettingsError."""
    for host in sorted(hosts(plan)):
        try:
            guard.check(f"http://[{host}]/" if ":" in host else f"http://{host}/")
            await guard.resolve(host)
        except AddressNotAllowed as error:
            raise SettingsError(f"A bot is at another host: {error}") from error
        except OSError:
            log.warning("bot not found", extra={"reason": f"{host} has no address now"})


def _make_room_for(calls: int) -> None:
    """Let the process have the open files that so many calls take; raise SettingsError if it cannot."""
    needed = FILES_A_CALL * calls + FILES_BESIDE
    if (allowed := make_room_for(needed)) is not None:
        raise SettingsError(
            f"`ulimit -n` allows {allowed} open files, and {calls} calls take {needed}. Raise it (LimitNOFILE= in "
            "systemd), or lower IVR_GATEWAY_CALLS."
        )


def _bound(stack: AsyncExitStack, address: str | None, setting: str) -> socket.socket | None:
    """Return a socket that listens there, as long as the context lasts; raise SettingsError."""
    if address is None:
        return None
    host, port = host_port_of(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(f"{setting}: {address} cannot be had: {error.strerror}") from error
    stack.callback(sock.close)
    return sock


async def _apologies(settings: GatewaySettings, phone: Platform, sound: Sound) -> Apologies:
    made = [
        await apology_samples(settings.apology, sound.renderer, phone.workers, language=settings.language, texts=texts)
        for texts in ((TEXTS, TO_CALLED) if settings.orders else (TEXTS,))
    ]
    return Apologies(*made)


def _missing(apologies: Apologies, sound: Sound) -> list[str]:
    """Return what callers will miss, and what to do about it."""
    found = []
    if not apologies.to_callers:
        found.append("Nothing can be spoken now: install a voice (pip install 'ivr[phone]'), or see IVR_VOICE.")
    if sound.ear is None:
        found.append("There is no ear, so choices are made by key alone: pip install pocketsphinx, or set IVR_STT.")
    if find_spec("pylibsrtp") is None:
        found.append("Encrypted sound (SRTP) is refused: pip install 'ivr[srtp]'.")
    return found
