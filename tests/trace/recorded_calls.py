"""Calls by random callers, as cases; and flows that are unlike the shipped ones."""

from pathlib import Path
from random import Random

from ivr.call_record import Stepped
from ivr.engine.flow import Flow
from ivr.trace.case import Case
from ivr.trace.recorded import case_of
from tests.callers import platform
from tests.callers.bot import Bot, dial
from tests.flows import flow_of

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "flows").glob("*.yaml"))
MESSAGES = 40


def random_call(flow: Flow, seed: int) -> Case:
    """Let somebody call who does anything, on a line that may fail, with services that may."""
    bot = random_bot(flow, seed)
    return case_of(bot.record, bot.trace, flow, {})


def random_bot(flow: Flow, seed: int) -> Bot:
    """Return that call as the server has it."""
    random = Random(seed)
    bot = dial(flow, later=seed % 2 == 1).post(platform.incoming("call-1"), random)
    for _ in range(MESSAGES):
        workflow = bot.workflow
        if bot.over or workflow is None:
            break
        report = platform.any_report("call-1", workflow, random)
        if report.left and random.random() < 0.5:  # the end is told apart, and overtakes what it cut off
            bot = bot.post(platform.told_apart("call-1", random), random)
            if random.random() < 0.3:
                return bot.settle(random)
        bot = bot.post(report, random)
        if report.left:
            bot = bot.settle(random)
    return bot


def trace_of(flow: Flow, seed: int) -> tuple[Stepped, ...]:
    """Return the trace of such a call."""
    return random_bot(flow, seed).trace


PRIVATE = """
flow: private
initial: ask
on: {exhausted: bye, error: trouble}
variables: {pin: {type: text, sensitive: true, default: none}, copy: {type: text, sensitive: true, default: none}}
states:
  ask:
    digits: {prompt: Your number., minDigits: 1, maxDigits: 3, sensitive: true, into: pin}
    next:
      - {guard: "digits == '1'", set: {copy: "{{ pin }}"}, target: told}
      - {guard: "pin == '2' or visits.ask > 3", target: told}
      - {guard: visits.ask < 5, target: ask}
      - bye
  told:
    menu:
      prompt: ["Hello.", {guard: "copy is not none and copy < '5'", text: You are known.}]
      choices:
        again: {dtmf: "1", guard: visits.told < 3, prompt: Press 1.}
        secret: {dtmf: "2", guard: "pin == '2'", prompt: Or press 2.}
        out: {dtmf: "3", prompt: Or press 3.}
    on: {again: ask, secret: bye, out: note}
  note:
    record:
      prompt: Speak.
      transcribe: true
      sensitive: true
      holdPrompt: ["Wait.", {guard: pin, text: more}]
      into: words
    next: [{guard: "transcript and 'cancel' in transcript", target: cancelled}, bye]
    on: {error.transcribe: bye}
  cancelled: {say: Cancelled., final: true, outcome: cancelled}
  bye: {say: Goodbye., final: true}
  trouble: {say: Trouble., final: true, outcome: failed}
"""

SLOW = """
flow: slow
initial: take
limits: {turns: 10, duration: 1m}
on: {exhausted: bye, error: bye, error.limit: enough}
states:
  take: {answer: {}, next: greet}
  greet: {say: "It is {{ now | time }}.", next: hear}
  hear:
    record: {prompt: Speak., transcribe: true, holdPrompt: One moment., into: words}
    next: [{guard: visits.hear < 4, target: hear}, bye]
    on: {error.transcribe: greet_again}
  greet_again: {say: ["Once more,", {silence: 500ms}, "at {{ now | time }}."], next: choose}
  choose:
    menu: {prompt: Again?, choices: {yes: {dtmf: "1", speech: [yes]}, no: {speech: [no], dtmf: "2"}}, bargeIn: false}
    next: [{guard: visits.choose < 4, set: {outcome: tried}, target: hear}, leave]
  leave: {hangup: {}}
  enough: {say: That was enough., final: true, outcome: limited}
  bye: {say: Goodbye., final: true}
"""

CHOOSY = """
flow: choosy
initial: gate
variables: {age: {type: integer, min: 1, max: 120}, day: {type: date, default: none}}
on: {exhausted: bye, error: bye, hangup: noted}
defaults: {noInput: Nothing heard., noMatch: Not that., maxAttempts: 2}
states:
  gate: {decide: [{guard: call.from is none, target: declined}, ask]}
  declined: {reject: {}}
  ask:
    digits: {prompt: How old?, reprompt: false, maxDigits: 3, into: age}
    next:
      - {guard: age > 60, say: "{{ age }} is a fine age.", target: ask_day}
      - {guard: visits.ask < 3, target: ask}
      - bye
    on: {noInput: [{guard: visits.ask < 2, target: ask}, bye]}
  ask_day:
    digits: {prompt: Which day?, minDigits: 0, maxDigits: 8, into: day}
    next: told
  told:
    say: [{guard: day is not none, text: "On {{ day | date }}."}, {guard: day is none, text: Some day.}]
    next: bye
  noted: {say: Noted., final: true, outcome: noted}
  bye: {say: Goodbye., final: true}
"""


ASKING = """
flow: asking
initial: may_we
calendars: {office: {weekly: {mon-sat: "09:00-17:00"}}}
commands: {operator: {dtmf: "0", speech: [operator]}, repeat: {dtmf: "*"}, home: {speech: [home]}}
variables:
  code: {type: text, sensitive: true, default: none}
  agreed: false
  words: {type: recording, default: none}
on:
  {exhausted: bye, error: bye, operator: person, repeat: self, home: [{guard: visits.choose < 4, target: choose}, bye]}
states:
  may_we:
    consent: {prompt: May we?, into: agreed}
    next: choose
    on: {refused: choose}
  choose:
    menu:
      prompt: Which day?
      choices:
        day:
          foreach: calendar.office.days(7)
          page: 3
          speech: ["{{ day | weekday }}"]
          prompt: "{{ day | date }} is {{ key }}."
          more: {dtmf: "9", speech: [more], prompt: More is 9.}
          into: day
        none_of_them: {dtmf: "8", prompt: None is 8.}
      confirm: [Right?, {guard: choice == 'day', text: That day?}]
      bargeIn: {keys: true, speech: false}
      typeAhead: true
    on: {day: {say: "{{ day | date }}.", target: code}, none_of_them: code, empty: bye}
  code:
    digits:
      prompt: Your code.
      minDigits: 2
      maxDigits: 3
      confirm: {prompt: Sure?, yes: {dtmf: "4"}, no: {dtmf: "5"}}
      into: code
      sensitive: true
    next: [{guard: "code == '22'", target: how_many}, {guard: visits.code < 3, target: code}, how_many]
  how_many:
    ask: {prompt: How many?, speech: number, maxDigits: 2, confirm: "{{ digits }}?", into: count}
    next: {say: "{{ count }}.", target: speak}
  speak:
    record: {prompt: Speak., transcribe: true, confirm: "{{ transcript or 'that' }}?", into: words}
    next: [{guard: agreed, target: bye}, person]
    on: {error.transcribe: bye}
  person: {say: "{{ words.transcript or 'Hold on' }}.", final: true, outcome: handed_over}
  bye: {say: Goodbye., final: true}
"""


def odd_flows() -> list[Flow]:
    """Return flows with private guards everywhere, holds that reach the limits, the time of day, dates, a rejection,
    and every way of asking."""
    return [flow_of(PRIVATE), flow_of(SLOW), flow_of(CHOOSY), flow_of(ASKING)]
