"""Checks of the group Dialogue."""

from ivr.flowfile.catalogue.rule import Rule

RULES = (
    Rule(
        "duplicate-dtmf",
        "error",
        "Two choices have one key.",
        """
start:
  menu:
    prompt: For sales press 1. For service press 1.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "1"}}
  next: bye
""",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
    ),
    Rule(
        "duplicate-speech",
        "both",
        "A spoken form stands for two choices.",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1", speech: [help]}, service: {dtmf: "2", speech: [Help]}}
  next: bye
""",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1", speech: [sales]}, service: {dtmf: "2", speech: [help]}}
  next: bye
""",
    ),
    Rule(
        "no-key",
        "error",
        "A choice has neither key nor spoken form.",
        """
start:
  menu:
    prompt: For sales press 1. For service hold the line.
    choices: {sales: {dtmf: "1"}, service: {}}
  next: bye
""",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
    ),
    Rule(
        "prompt-key",
        "warning",
        "A text names a key or a word that nothing listens for, or a beep that there is not.",
        """
start:
  menu:
    prompt: For sales press 1. For service press 4.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
    ),
    Rule(
        "silent-key",
        "warning",
        "No prompt tells of a choice, or the keys are named in another order.",
        """
start:
  menu:
    prompt: For sales press 1.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  next: bye
""",
    ),
    Rule(
        "prompt-limit",
        "warning",
        "A prompt names another number of times than the guards beside it.",
        """
start:
  menu:
    prompt: You can hear this three times. To hear it again press 1. To end press 2.
    choices: {again: {dtmf: "1", guard: visits.start <= 5}, end: {dtmf: "2"}}
  on: {again: start, end: bye}
""",
        """
start:
  menu:
    prompt: You can hear this five times. To hear it again press 1. To end press 2.
    choices: {again: {dtmf: "1", guard: visits.start <= 5}, end: {dtmf: "2"}}
  on: {again: start, end: bye}
""",
    ),
    Rule(
        "never-heard",
        "both",
        "A text that no caller can hear.",
        """
start:
  digits:
    prompt: Key your number.
    maxAttempts: 2
    noInput: [I did not hear you., I still cannot hear you.]
  next: bye
""",
        """
start:
  digits:
    prompt: Key your number.
    maxAttempts: 3
    noInput: [I did not hear you., I still cannot hear you.]
  next: bye
""",
    ),
    Rule(
        "speech-only",
        "warning",
        "A choice has no key.",
        """
start:
  menu:
    prompt: Say sales or service.
    choices: {sales: {speech: [sales]}, service: {speech: [service], dtmf: "2"}}
  next: bye
""",
        """
start:
  menu:
    prompt: Say sales or press 1. Say service or press 2.
    choices: {sales: {speech: [sales], dtmf: "1"}, service: {speech: [service], dtmf: "2"}}
  next: bye
""",
    ),
    Rule(
        "long-menu",
        "warning",
        "A menu has more choices than callers remember, or its first one comes late.",
        """
start:
  menu:
    prompt: Press 1 for red. Press 2 for green. Press 3 for blue. Press 4 for gold. Press 5 for grey. Press 6 for pink.
    choices:
      {red: {dtmf: "1"}, green: {dtmf: "2"}, blue: {dtmf: "3"}, gold: {dtmf: "4"}, grey: {dtmf: "5"}, pink: {dtmf: "6"}}
  next: bye
""",
        """
start:
  menu:
    prompt: Press 1 for red. Press 2 for green. Press 3 for blue.
    choices: {red: {dtmf: "1"}, green: {dtmf: "2"}, blue: {dtmf: "3"}}
  next: bye
""",
    ),
    Rule(
        "long-way",
        "warning",
        "The caller hears much before the first question.",
        """
start: {say: Welcome., next: news}
news: {say: We have moved., next: hours}
hours: {say: We are open all day., next: advice}
advice: {say: Calls are recorded., next: ask}
ask:
  digits: {prompt: Key your number.}
  next: bye
""",
        """
start: {say: Welcome. Calls are recorded., next: ask}
ask:
  digits: {prompt: Key your number.}
  next: bye
""",
    ),
    Rule(
        "audio-text",
        "both",
        "An audio file cannot be played, or its words are not written down.",
        """
start: {say: {audio: no-such-file.wav, text: Welcome.}, next: bye}
""",
        """
start: {say: {audio: "https://contoso.example/welcome.wav", text: Welcome.}, next: bye}
""",
    ),
    Rule(
        "choice-spoken",
        "warning",
        "The name of a choice is spoken.",
        """
start:
  menu:
    prompt: For sales press 1.
    choices: {sales: {dtmf: "1"}}
    into: department
  next: confirm
confirm: {say: "You chose {{ department }}.", next: bye}
""",
        """
start:
  menu:
    prompt: For sales press 1.
    choices: {sales: {dtmf: "1"}}
    into: department
  next: confirm
confirm: {say: {guard: department == 'sales', text: You chose our sales team.}, next: bye}
""",
    ),
    Rule(
        "format",
        "warning",
        "A date, a time or a decimal is spoken without a form.",
        """
start: {say: "It is {{ now }}.", next: bye}
""",
        """
start: {say: "It is {{ now | time }}.", next: bye}
""",
    ),
    Rule(
        "single-braces",
        "warning",
        "An expression in single braces is spoken as it stands.",
        """
start: {say: "It is { now | time }.", next: bye}
""",
        """
start: {say: "It is {{ now | time }}.", next: bye}
""",
    ),
    Rule(
        "channel",
        "error",
        "The line of `--channel` cannot do this; `ivr serve` has the one that is looked at by default.",
        """
language: de-DE
states:
  start: {say: Guten Tag., next: bye}
""",
        """
language: en-US
states:
  start: {say: Good morning., next: bye}
""",
    ),
    Rule(
        "speech",
        "warning",
        "The speech engine of `--stt`, or of the settings, lacks what a transcript needs.",
        """
start: {record: {prompt: Which department?, transcribe: true}, next: bye}
""",
        """
start: {record: {prompt: Which department?, transcribe: true, phrases: [sales, support]}, next: bye}
""",
    ),
)
