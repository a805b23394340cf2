"""`ivr new`: a flow to start from, with a script that calls it and a case that replays it."""

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex

import click

from ivr.call_record import CallRecord, Stepped
from ivr.engine.call import Facts, new_call
from ivr.engine.events import CallReceived, ChoiceMade, Event, OperationDone
from ivr.engine.machine import step
from ivr.engine.naming import is_name
from ivr.flowfile.schema import schema_text
from ivr.ports import CallKey
from ivr.trace.case import Case
from ivr.trace.current_flows import read_current_flow
from ivr.trace.files import dumps
from ivr.trace.flow_places import FlowWithPlaces
from ivr.trace.folders import CASES, FLOWS
from ivr.trace.recorded import case_of

FLOW = """\
# yaml-language-server: $schema=./flow.schema.json
flow: {name}
description: Says the opening hours.
initial: main
on: {{exhausted: bye, error: bye}}

states:
  main:
    menu:
      prompt: For opening hours, press 1 or say hours. To end the call, press 2 or say goodbye.
      choices:
        hours: {{dtmf: "1", speech: [hours]}}
        goodbye: {{dtmf: "2", speech: [goodbye]}}
      noInput: I did not hear you.
      noMatch: That is not one of the choices.
    on: {{hours: hours, goodbye: thanks}}

  hours:
    say: We are open from nine to five.
    next: thanks

  thanks:
    say: Thank you for calling. Goodbye.
    final: true

  bye:
    say: Goodbye.
    final: true
    outcome: unresolved
"""
SCRIPT = """\
# Run it with: ivr phone --script {name}.call.yaml
script: {name}
flow: {name}.yaml
steps:
  - expect: "~For opening hours, press 1"
  - press: "1"
  - expect: {{hears: "~We are open from nine to five.", ends: hangup}}
"""
SCHEMA = "flow.schema.json"
CASE = "hours.jsonl"


@click.command()
@click.argument("name")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="The flow's folder.")
def new(name: str, folder: Path) -> None:
    """Create a new flow: NAME.yaml, a script that calls it, a case, and the schema for editors.

    The case goes to recordings/cases, where "ivr replay" and pytest look for it: in the folder, or beside it if it is
    called "flows". Existing files are not overwritten.

    \b
    Example:  ivr new dentist
              ivr new dentist --folder flows
    """
    if not is_name(name.replace("-", "_")):
        meant = re.sub(r"\W+", "-", name).strip("-")
        hint = f' Did you mean "{meant}"?' if is_name(meant.replace("-", "_")) else ""
        raise click.UsageError(f'"{name}" is not a valid name for a flow: use letters, digits, _ and -.{hint}')
    flow, script, schema = folder / f"{name}.yaml", folder / f"{name}.call.yaml", folder / SCHEMA
    cases = (folder.resolve().parent if folder.resolve().name == str(FLOWS) else folder) / CASES
    case = cases / name / CASE
    there = next((file for file in (flow, script, case) if file.exists() or file.is_symlink()), None)
    if there is not None:
        raise click.ClickException(f"{there} already exists. Nothing was written.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(flow, FLOW.format(name=name))
        _write(script, SCRIPT.format(name=name))
        if not schema.exists():
            _write(schema, schema_text())
        case.parent.mkdir(parents=True, exist_ok=True)
        _write(case, dumps(first_case(read_current_flow(flow, "UTC"))).decode())
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder} cannot be written: {error.strerror}.") from error
    click.echo(_next_steps(flow, script, case))


def _write(file: Path, text: str) -> None:
    """Write a new file; one that came meanwhile stays as it is."""
    with file.open("x", encoding="utf-8") as opened:
        opened.write(text)


def _next_steps(flow: Path, script: Path, case: Path) -> str:
    return f"""\
Made {flow}, {script}
and {case}.

  ivr check {flow}          find mistakes
  ivr talk {flow}           be the caller
  ivr phone --script {script}    call it by script
  ivr replay --flow {flow} {case}    show what the caller of the case would hear now
  ivr serve --dev {flow}    call it from the browser

Any call can become another case: see ivr calls export --help"""


# --- the first case: the machine alone, told what a caller of the starter flow does -----------------------------------

CHANNEL = "terminal"
SECONDS = 5.0
"Between one thing that happens and the next."

HOURS: Sequence[Callable[[str], Event]] = (
    lambda _: CallReceived("29:caller", "28:bot", "en-US"),
    lambda op: ChoiceMade(op, "hours", "keys"),
    OperationDone,
)
"A caller asks for the hours and hears the flow out; each is told the operation that is awaited."


def first_case(of: FlowWithPlaces, caller_steps: Sequence[Callable[[str], Event]] = HOURS) -> Case:
    """Return the case of a call that goes so."""
    call = new_call(of.flow.hash, Facts(id=token_hex(16), channel=CHANNEL))
    now = float(int(time.time()))
    trace: list[Stepped] = []
    for caller_step in caller_steps:
        event = caller_step(call.asked[-1].op if call.asked else "")
        taken = step(of.flow, call, event, now=now)
        trace.append(Stepped(taken.traced or event, now, taken.commands, taken.path, taken.ignored, taken.judged))
        call = taken.call
        now += SECONDS
    record = CallRecord(call.facts.id, CallKey(CHANNEL, "", call.facts.id), call)
    return case_of(record, trace, of.flow, of.places.lines())
