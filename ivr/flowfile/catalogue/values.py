"""Checks of the group Values."""

from ivr.flowfile.catalogue.rule import Rule

RULES = (
    Rule(
        "undefined",
        "error",
        "A name that means nothing there.",
        """
start: {say: "You call from {{ call.form }}.", next: bye}
""",
        """
start: {say: "You call {{ call.to }}.", next: bye}
""",
    ),
    Rule(
        "filter",
        "error",
        "A filter that there is not.",
        """
start: {say: "It is {{ now | tme }}.", next: bye}
""",
        """
start: {say: "It is {{ now | time }}.", next: bye}
""",
    ),
    Rule(
        "statement",
        "error",
        "{% %} in a text: guards and branches do its work.",
        """
start: {say: "Hello{% if call.from %} again{% endif %}.", next: bye}
""",
        """
start: {say: [Hello., {guard: call.from, text: Good to hear you again.}], next: bye}
""",
    ),
    Rule(
        "expression",
        "error",
        "An expression that cannot be read.",
        """
start: {decide: [{guard: call.from ==, target: bye}, bye]}
""",
        """
start: {decide: [{guard: call.from == call.to, target: bye}, bye]}
""",
    ),
    Rule(
        "unset",
        "error",
        "A variable is read that may have no value there.",
        """
start:
  menu: {prompt: To key it press 1. To go on press 2., choices: {key_it: {dtmf: "1"}, go: {dtmf: "2"}}}
  on: {key_it: ask, go: thanks}
ask:
  digits: {prompt: Key your number., into: number}
  next: thanks
thanks: {say: "Your number is {{ number | digits }}.", next: bye}
""",
        """
start:
  menu: {prompt: To key it press 1. To go on press 2., choices: {key_it: {dtmf: "1"}, go: {dtmf: "2"}}}
  on: {key_it: ask, go: bye}
ask:
  digits: {prompt: Key your number., into: number}
  next: thanks
thanks: {say: "Your number is {{ number | digits }}.", next: bye}
""",
    ),
    Rule(
        "may-be-null",
        "error",
        "A value that may be none would be spoken or calculated with.",
        """
start: {say: "You call from {{ call.from }}.", next: bye}
""",
        """
start: {say: "You call from {{ call.from or 'a withheld number' }}.", next: bye}
""",
    ),
    Rule(
        "type",
        "error",
        "A value that does not fit: a text compared with a number, a word in an integer.",
        """
start: {decide: [{guard: call.to > 5, target: bye}, bye]}
""",
        """
start: {decide: [{guard: call.to == '5', target: bye}, bye]}
""",
    ),
    Rule(
        "text-list",
        "warning",
        "A text that looks like a list after `in`, which then asks for a piece of it.",
        """
start: {decide: [{guard: "(now | weekday) in 'Saturday, Sunday'", target: bye}, open]}
open: {say: We are here., next: bye}
""",
        """
start: {decide: [{guard: "(now | weekday) in ['Saturday', 'Sunday']", target: bye}, open]}
open: {say: We are here., next: bye}
""",
    ),
    Rule(
        "truth-word",
        "warning",
        "A text that looks like false, true or nothing, such as `no`, `off`, `null`, where one of them is meant.",
        """
variables: {closed: no}
states:
  start: {decide: [{guard: closed, target: bye}, open]}
  open: {say: We are here., next: bye}
""",
        """
variables: {closed: false}
states:
  start: {decide: [{guard: closed, target: bye}, open]}
  open: {say: We are here., next: bye}
""",
    ),
    Rule(
        "never-true",
        "warning",
        "A guard, or a part of one, that nothing can make true: no time, no day, no value.",
        """
start: {decide: [{guard: now >= '22:00' and now < '06:00', target: bye}, open]}
open: {say: We are here., next: bye}
""",
        """
start: {decide: [{guard: now >= '22:00' or now < '06:00', target: bye}, open]}
open: {say: We are here., next: bye}
""",
    ),
    Rule(
        "always-true",
        "warning",
        "A guard, or a part of one, that is always true.",
        """
start: {decide: [{guard: today != '12-24' or today != '12-25', target: open}, bye]}
open: {say: We are here., next: bye}
""",
        """
start: {decide: [{guard: "today not in ['12-24', '12-25']", target: open}, bye]}
open: {say: We are here., next: bye}
""",
    ),
    Rule(
        "time-zone",
        "warning",
        "A time zone that never has summer time, or whose sign is reversed: `EST`, `Etc/GMT-5`.",
        """
timeZone: EST
states:
  start: {decide: [{guard: now < '12:00', target: bye}, thanks]}
  thanks: {say: Good afternoon., next: bye}
""",
        """
timeZone: America/New_York
states:
  start: {decide: [{guard: now < '12:00', target: bye}, thanks]}
  thanks: {say: Good afternoon., next: bye}
""",
    ),
    Rule(
        "bare-name",
        "warning",
        "A word is stored that is the name of a variable.",
        """
variables: {amount: 12, total: {type: text, default: ""}}
states:
  start:
    say: "{{ amount }} euros."
    set: {total: amount}
    next: say_total
  say_total: {say: "{{ total }}", next: bye}
""",
        """
variables: {amount: 12, total: {type: integer, default: "0"}}
states:
  start:
    say: "{{ amount }} euros."
    set: {total: "{{ amount }}"}
    next: say_total
  say_total: {say: "{{ total }}", next: bye}
""",
    ),
    Rule(
        "unused",
        "warning",
        "Something is kept and never used.",
        """
start:
  digits: {prompt: Key your number., into: number}
  next: bye
""",
        """
start:
  digits: {prompt: Key your number., into: number}
  next: thanks
thanks: {say: "Your number is {{ number | digits }}.", next: bye}
""",
    ),
    Rule(
        "never-set",
        "warning",
        "A variable is read that nothing ever sets.",
        """
variables: {nickname: {type: text, default: none}}
states:
  start: {say: "Hello {{ nickname or 'stranger' }}.", next: bye}
""",
        """
variables: {nickname: {type: text, default: friend}}
states:
  start: {say: "Hello {{ nickname }}.", next: bye}
""",
    ),
    Rule(
        "sensitive",
        "error",
        "A private value would be heard or logged.",
        """
start:
  digits: {prompt: Key your PIN., into: pin, sensitive: true}
  next: thanks
thanks: {say: "You keyed {{ pin }}.", next: bye}
""",
        """
start:
  digits: {prompt: Key your PIN., into: pin, sensitive: true}
  next: judge
judge: {decide: [{guard: pin == '1234', target: thanks}, bye]}
thanks: {say: That is right., next: bye}
""",
    ),
    Rule(
        "no-answer",
        "both",
        "No keys can be an answer, or an answer that is meant to be possible is not.",
        """
variables: {amount: {type: integer, min: 10, max: 5}}
states:
  start:
    digits: {prompt: How many?, into: amount}
    next: told
  told: {say: "{{ amount }}.", next: bye}
""",
        """
variables: {amount: {type: integer, min: 5, max: 10}}
states:
  start:
    digits: {prompt: How many?, into: amount}
    next: told
  told: {say: "{{ amount }}.", next: bye}
""",
    ),
    Rule(
        "never-equal",
        "warning",
        "A guard looks for a name or a value that nothing there ever has.",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
    into: wish
  next: [{guard: wish == 'sale', target: start_again}, bye]
start_again: {say: One moment., next: bye}
""",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
    into: wish
  next: [{guard: wish == 'sales', target: start_again}, bye]
start_again: {say: One moment., next: bye}
""",
    ),
    Rule(
        "unread-braces",
        "warning",
        "An expression stands where none is read.",
        """
start:
  menu:
    prompt: Press 1 for help.
    choices: {help: {dtmf: "1", speech: [help, "{{ call.to }}"]}}
  next: bye
""",
        """
start:
  menu:
    prompt: Press 1 for help.
    choices: {help: {dtmf: "1", speech: [help, contoso]}}
  next: bye
""",
    ),
    Rule(
        "unsayable",
        "warning",
        "A spoken form or a phrase cannot be said in the flow's language.",
        """
start:
  menu:
    prompt: Press 1 for help.
    choices: {help: {dtmf: "1", speech: [help, "?"]}}
  next: bye
""",
        """
start:
  menu:
    prompt: Press 1 for help.
    choices: {help: {dtmf: "1", speech: [help, question]}}
  next: bye
""",
    ),
)
