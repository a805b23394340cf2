"""`ivr gateway`: telephone calls to any bot, with what it says at its start and how it stops."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

import click

from ivr.cli.event_loop import fast_loop, spare_the_collector
from ivr.cli.terminal_text import clean
from ivr.errors import IvrError
from ivr.gateway.gateway_settings import (
    FLAGS,
    GATEWAY_SECRETS,
    PREFIX,
    GatewaySettings,
    exposures,
    load_gateway_settings,
)
from ivr.gateway.numbers import ANY
from ivr.gateway.process_tuning import favour_the_loop
from ivr.gateway.running_gateway import RunningGateway, running_gateway
from ivr.logs import quiet_loop, start_logging
from ivr.setting_sources import prefix_of
from ivr.speech_settings import SpeechSettings, load_speech_settings

log = logging.getLogger(__name__)

NO_FLAG = (*GATEWAY_SECRETS, "azure_key", "openai_key", "voice_key")
"Secrets."
LISTS = (*("map", "allow", "allow_transfer", "sip", "codecs", "allow_from", "digest", "call_targets", "call_callers"),)
"Settings whose flag can be repeated."
TRUTHS = ("srtp_without_tls",)
"Settings whose flag has no value."
AFTER_DRAINING = 10.0
"Seconds after the time for draining, for telling bots and closing; then the process ends all the same."


def _flags(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command a flag for each setting."""
    fields = [(PREFIX, *one) for one in GatewaySettings.model_fields.items()]
    fields += [(prefix_of(SpeechSettings), *one) for one in SpeechSettings.model_fields.items()]
    for prefix, name, field in reversed(fields):
        if name in NO_FLAG:
            continue
        flag = FLAGS.get(name, "--" + name.replace("_", "-"))
        meaning = f"{field.description} [{prefix}{name.upper()}]"
        if name in TRUTHS:
            option = click.option(flag, name, is_flag=True, default=None, help=meaning)
        else:
            option = click.option(flag, name, metavar="VALUE", multiple=name in LISTS, help=meaning)
        command = option(command)
    return command


@click.command
@click.option(
    "--settings", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A TOML file of settings."
)
@_flags
def gateway(file: Path | None, **flags: str | tuple[str, ...] | bool | None) -> None:
    """Take telephone calls by SIP, and play the calling platform to a bot: ours, or any that speaks the protocol.

    \b
    Try it on this machine:  ivr serve --dev flows/
                             ivr gateway --map '*=/call/{number}'
    then call sip:support@127.0.0.1:5070 with a softphone.

    Only this machine and private networks can call, unless --allow-from or --password says otherwise. Passwords are in
    the environment (IVR_GATEWAY_PASSWORD) or in a file, never in a flag. SIGTERM or Ctrl-C: no new calls, and the end
    when the running ones have ended; a second time: at once. The log is written to standard error, as lines of JSON.
    """
    try:
        given = {name: value for name, value in flags.items() if value not in (None, ())}
        speech = {name: given.pop(name) for name in SpeechSettings.model_fields if name in given}
        loaded = load_gateway_settings(file=file, flags=given, also=SpeechSettings.model_fields)
        spoken = load_speech_settings(file=file, flags=speech, also=GatewaySettings.model_fields)
        start_logging(loaded.settings.log_level)
        for sentence in loaded.unknown:
            log.warning("unknown setting", extra={"reason": sentence})
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            runner.run(_run(loaded.settings, spoken.settings))
    except (IvrError, OSError) as error:
        raise click.ClickException(clean(str(error))) from error


async def _run(settings: GatewaySettings, speech: SpeechSettings) -> None:
    loop = asyncio.get_running_loop()
    quiet_loop(loop)
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            _end("a second signal")
        stop.set()
        loop.call_later(settings.drain_time + AFTER_DRAINING, _end, "drained too slowly")

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    async with running_gateway(settings, speech) as running:
        favour_the_loop(loop)
        loop.add_signal_handler(signal.SIGHUP, running.reload_certificate)
        spare_the_collector()
        _announce(settings, running)
        await stop.wait()
        await running.drain(settings.drain_time)


def _end(reason: str) -> None:
    log.warning("ended at once", extra={"reason": reason})
    os._exit(1)


def _announce(settings: GatewaySettings, running: RunningGateway) -> None:
    """Print where calls are taken, whose, and where they lead; then what is open to more people than is usual."""
    click.echo(f"Taking calls at {', '.join(running.addresses)} (Ctrl-C to stop).")
    for number, bot in (running.plan.targets or {ANY: running.plan.bot}).items():
        click.echo(f"  {_dialled(number, running.addresses[0])} leads to {bot}")
    click.echo(f"May call: {_callers(settings)}. Sound: UDP ports {settings.rtp}.")
    if running.signed:
        click.echo(f"For the bot's settings (IVR_OPENID_METADATA): {running.metadata}")
    if settings.register_as:
        click.echo(f"Registering as {settings.register_as}; the log says what becomes of it.")
    if settings.status:
        click.echo(f"For monitoring: http://{settings.status}/healthz and http://{settings.status}/metrics")
    if running.orders:
        targets = ", ".join(settings.call_targets) or "nobody"
        click.echo(f"For the bot's settings (IVR_SKYPE_GATEWAY_URL): {running.orders}. It may have called: {targets}.")
    for sentence in (*running.missing, *exposures(settings)):
        click.echo(f"WARNING: {sentence}")


def _dialled(number: str, address: str) -> str:
    """Return what is dialled for a number, as a softphone takes it."""
    transport, _, place = address.partition("://")
    user = "ANY-NUMBER" if number == ANY else number
    scheme, parameter = ("sips", "") if transport == "tls" else ("sip", "" if transport == "udp" else ";transport=tcp")
    return f"{scheme}:{user}@{place}{parameter}"


def _callers(settings: GatewaySettings) -> str:
    who = [", ".join(settings.allow_from)] if settings.allow_from else []
    if settings.user is not None:
        who.append(f"everybody who knows the password of {settings.user}")
    who = who or ["this machine and private networks"]
    return ", and ".join([*who, "the registrar"] if settings.register_as else who)
