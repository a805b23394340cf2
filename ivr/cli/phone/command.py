"""`ivr phone`: the platform's side of the protocol, to call any bot by hand, by script, or many times at once."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ivr.cli.event_loop import fast_loop, on_first_signal, until_signal
from ivr.cli.phone.call_scripts import run_scripts
from ivr.cli.phone.carrier_calls import call_as_carrier
from ivr.cli.phone.carrier_flags import CARRIERS, carrier_options, carrier_played
from ivr.cli.phone.flags import PORT, TARGETS, TIME, Finite, check_together, given, limited
from ivr.cli.phone.load_report import report_load
from ivr.cli.phone.sip_calls import SipFlags, call_sip
from ivr.cli.phone.terminal import print_metadata, talk, talk_aloud
from ivr.cli.terminal_text import clean
from ivr.errors import IvrError
from ivr.phone.callers.dialler import LoadPlan
from ivr.phone.net.limits import PhoneLimits
from ivr.phone.placed_call import Caller
from ivr.phone.platform import DEFAULT_APP, Target
from ivr.server.phone.standalone import standalone_phone

BOT = "http://127.0.0.1:8080/call"


@click.command()
@click.option("--bot", default=BOT, show_default=True, metavar="URL", help="The bot's calling webhook.")
@click.option(
    "--app-id", default=DEFAULT_APP, show_default=True, help="The bot's app id: the audience of the phone's tokens."
)
@click.option("--from", "caller", default=Caller().caller, show_default=True, help="Who calls.")
@click.option("--language", default=Caller().language, show_default=True, help="The caller's language.")
@click.option("--at", type=TIME, help="The time that a bot in development takes for now: 10:00, 2026-12-24, or both.")
@click.option("--sound", is_flag=True, help="Speak the prompts through a player of this machine, in real time.")
@click.option("--browser", is_flag=True, help="Serve a page to call from instead: microphone, keypad, conversation.")
@click.option("--port", type=PORT, default=8090, show_default=True, help="The port of that page; 0: any free one.")
@click.option("--sip", metavar="ADDRESS", help="Call this SIP address instead of a bot: sip:support@127.0.0.1:5070.")
@click.option("--sip-user", metavar="USER", help="With --sip: who to be if a password is asked for.")
@click.option(
    "--sip-password",
    metavar="PASSWORD",
    envvar="SIP_PASSWORD",
    help="With --sip: the password of --sip-user. Others on this machine can read command lines: better set"
    " SIP_PASSWORD.",
)
@click.option(
    "--sip-ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --sip: a PEM file of the authorities that a TLS server is believed by. Default: the system's.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="With --sip: write what is heard to this WAV file.",
)
@click.option("--wire", is_flag=True, help="Also show every message and its reply.")
@click.option(
    "--script",
    "scripts",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Run call scripts (*.call.yaml, or folders of them) instead; ends with 1 if one fails.",
)
@click.option("--calls", type=click.IntRange(1), help="Place this number of calls instead, and measure.")
@click.option("--concurrency", type=click.IntRange(1, 5000), default=50, show_default=True, help="Calls at once.")
@click.option("--rate", type=Finite(), help="Calls started per second. Default: as many as possible.")
@click.option(
    "--think", type=Finite(), metavar="SECONDS", help="With --calls: how long callers think before they do something."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was measured as JSON.")
@click.option("--allow", multiple=True, metavar="HOST", help="A host to connect to, besides this machine.")
@click.option(
    "--allow-transfer",
    multiple=True,
    type=TARGETS,
    metavar="PATTERN",
    help="Offer the bot to transfer its caller to such addresses, like sip:*@pbx.example. Here nobody is called.",
)
@click.option(
    "--identity-port",
    type=PORT,
    default=0,
    show_default=True,
    help="The port of metadata and keys. 0: any free port.",
)
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of the phone's key; created if it does not exist. Default: a new key each time.",
)
@click.option(
    "--as",
    "carrier",
    type=click.Choice(CARRIERS),
    help="Play this carrier instead, and call a bot of its dialect at --bot.",
)
@carrier_options
@limited
@click.pass_context
def phone(
    context: click.Context,
    *,
    bot: str,
    app_id: str,
    caller: str,
    language: str,
    at: str | None,
    sound: bool,
    browser: bool,
    port: int,
    sip: str | None,
    sip_user: str | None,
    sip_password: str | None,
    sip_ca: Path | None,
    record: Path | None,
    wire: bool,
    scripts: tuple[Path, ...],
    calls: int | None,
    concurrency: int,
    rate: float | None,
    think: float | None,
    as_json: bool,
    allow: tuple[str, ...],
    allow_transfer: tuple[str, ...],
    identity_port: int,
    key: Path | None,
    limits: PhoneLimits,
    carrier: str | None,
    flags_of_carrier: dict[str, Any],
) -> None:
    """Call a bot, as the calling platform did: ours, or any that speaks the protocol. With --sip call a SIP address.

    With --as the phone is a carrier of lines over the web, and calls any bot for it: documents are judged by the
    carrier's own grammar, requests are signed as it signs them.

    Prompts are printed; you type keys, words, silence (Enter) or /hangup. Only this machine is connected to, unless
    --allow names others. A bot that checks tokens has to know where the phone's metadata is: its address is printed
    where --app-id, --key or --identity-port is given.

    \b
    Examples:  ivr phone --bot http://127.0.0.1:8080/call/support
               ivr phone --browser
               ivr phone --script calls/
               ivr phone --calls 2000 --concurrency 200
               ivr phone --sip sip:support@127.0.0.1:5070
               ivr phone --as twilio --bot http://127.0.0.1:8080/twilio/call
               ivr phone --as telnyx --bot http://127.0.0.1:5000/voice --misbehave forged,twice
               ivr phone --as jambonz --bot http://127.0.0.1:8080/jambonz/call
               ivr phone --as twilio --orders --api-port 9080 --callee machine
    """  # to click, the character \b keeps the line ends of a paragraph
    check_together(context)
    console = Console(highlight=False, soft_wrap=True)
    if sip:
        who = caller if given(context, "caller") else None
        called = SipFlags(sip, who, sip_user, sip_password, sip_ca, record)
        plan = LoadPlan(calls, concurrency, rate) if calls else None
        _run(call_sip(called, console, scripts=scripts, plan=plan, as_json=as_json))
        return
    if carrier:
        who = caller if given(context, "caller") else None
        played = carrier_played(carrier, bot, flags_of_carrier, caller=who, allowed=allow, limits=limits)
        plan = LoadPlan(calls, concurrency, rate) if calls else None
        _run(call_as_carrier(played, console, scripts=scripts, plan=plan, as_json=as_json, aloud=sound, wire=wire))
        return
    target = Target(bot, app_id, allow, limits, identity_port, key, caller, language, at, allow_transfer)
    if browser:
        _run(_serve_page(target, port))
    elif scripts:
        _run(until_signal(run_scripts(scripts, target, console)))
    elif calls:
        _run(report_load(LoadPlan(calls, concurrency, rate, think=think or 0.0), target, console, as_json=as_json))
    else:
        face = talk_aloud if sound else talk
        _run(until_signal(face(target, console, wire=wire)))


def _run(work: Coroutine[Any, Any, bool]) -> None:
    """Run a face of the phone; one that fails ends the command with 1."""
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            succeeded = runner.run(work)
    except asyncio.CancelledError as error:  # by a signal
        raise click.Abort from error
    except (IvrError, OSError) as error:
        raise click.ClickException(clean(str(error))) from error
    if not succeeded:
        raise click.exceptions.Exit(1)


async def _serve_page(target: Target, port: int) -> bool:
    """Serve the phone as a page, until Ctrl-C."""
    stop = asyncio.Event()
    with on_first_signal(stop.set):
        async with standalone_phone(target, port=port) as served:
            print_metadata(target, served.metadata)
            click.echo(f"The phone: {served.page} (calls {target.bot}; Ctrl-C to stop)")
            await stop.wait()
            return True
