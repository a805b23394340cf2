"""`gather`: keys and words while a prompt is heard and after it, with the timers of jambonz's feature server 0.9.8.

The overall timer (`timeout`) starts when the prompt is over, or at the first key before that. At its end the keys so
far are told if they are at least `minDigits`; else they are dropped, and it is a timeout.

The inter-digit timer starts at each key from the one on which makes at least `minDigits`, never without `minDigits`,
and takes the place of the overall one. At its end the keys so far are told.

Words that are heard put the overall timer off. A key ends the listening for words. A key that interrupts a prompt sets
both timers: the prompt's end, which it brings about, starts the overall one anew.
"""

import math
from typing import Any

from ivr.carriers.jambonz.verb_prompts import LANGUAGE, played, said
from ivr.carriers.jambonz.verb_runs import Prompt, Running
from ivr.carriers.jambonz.verbs import Gather, hint_phrases, is_by_speech
from ivr.engine.commands import Choice, DigitInput, Recognize
from ivr.line import (
    KeyDown,
    KeyUp,
    Listening,
    PromptEnded,
    PromptFailed,
    Result,
    Signal,
    Trouble,
    VoiceSignal,
    WordsUnderstood,
)

TIMEOUT = 15.0
"Seconds of the overall timer, where the verb says nothing."
CONFIDENCE = 0.92
"Of whatever is understood."
MOST_KEYS = 40
"What a caller takes the number of keys to be that the verb leaves open."


class Gathering(Running[Gather]):
    """One `gather`."""

    def __init__(self, op: str, verb: Gather) -> None:
        super().__init__(op, verb)
        self._by_keys = "digits" in verb.input
        self._by_speech = is_by_speech(verb)
        self._barge_in = verb.dtmf_bargein is not False and self._by_keys
        self._timeout = math.inf if verb.timeout == 0 else verb.timeout or TIMEOUT
        prompt = said(verb.say) if verb.say else played(verb.play) if verb.play else ()
        nested = verb.say or verb.play
        loop = nested.loop if nested else 1
        self._prompt = Prompt(op, prompt, loop, interruptible=self._barge_in or verb.bargein)
        self._has_prompt = nested is not None
        self._listens = verb.listen_during_prompt or not self._has_prompt
        "Keys and words count."
        self._keys = ""
        self._held: str | None = None
        self._speaks = False
        self._overall: float | None = None
        self._inter_digit: float | None = None

    def begin(self, now: float) -> None:
        """Play the prompt, and listen from now on or from its end."""
        if self._listens:
            self.effects.append(Listening(self.op, question(self.op, self.verb)))
        if self._has_prompt:
            self._prompt.begin(self.effects)
        else:
            self._start_timer(now)
            self._look_at_timers(now)

    def take(self, signal: Signal, now: float) -> None:
        """Take what the caller does, what the prompt comes to, and time."""
        match signal:
            case PromptEnded() if self._prompt.plays:
                self._prompt.ended(self.effects)
                self._prompt_over(now)
            case PromptFailed() if self._prompt.plays:
                self._prompt.plays = False
                self._prompt_over(now)
            case KeyDown(key=key):
                self._held = key
            case KeyUp() if self._held is not None:
                key, self._held = self._held, None
                if self._listens:
                    self._key(key, now)
            case VoiceSignal(active=active) if self._listens and self._by_speech:
                self._voice(now, active=active)
            case WordsUnderstood(words=words) if self._listens and self._by_speech:
                self._words(words, now)
            case Trouble():
                self._resolve("system", {"reason": "error", "details": {"message": "the recognizer failed"}}, ok=False)
        if self.done is None:
            self._look_at_timers(now)

    def leave(self, now: float) -> None:
        """Report nothing: the feature server does not call the hook of a caller who has gone."""
        self._prompt.stop(self.effects)

    # --- timers -----------------------------------------------------------------------------------------------------

    def _start_timer(self, now: float) -> None:
        self._overall = now + self._timeout

    def _look_at_timers(self, now: float) -> None:
        if self._inter_digit is not None and now >= self._inter_digit:
            self._keys_done("pause")
        elif self._overall is not None and not self._speaks and now >= self._overall:
            if self.verb.min_digits is not None and len(self._keys) >= self.verb.min_digits:
                self._keys_done("pause")
            else:
                self._resolve("silence", {"reason": "timeout"}, ok=False)
        else:
            overall = None if self._speaks else self._overall
            ends = [when for when in (overall, self._inter_digit) if when is not None and math.isfinite(when)]
            self.deadline = min(ends, default=None)

    def _prompt_over(self, now: float) -> None:
        if self._prompt.plays:
            return
        if not self._listens:
            self._listens = True
            self.effects.append(Listening(self.op, question(self.op, self.verb)))
        self._start_timer(now)

    # --- what the caller does ----------------------------------------------------------------------------------------

    def _key(self, key: str, now: float) -> None:
        verb = self.verb
        if self._overall is None:
            self._start_timer(now)
        self._inter_digit = None
        interrupted = self._barge_in and self._prompt.stop(self.effects)
        if not self._by_keys:
            return
        if key == verb.finish_on_key:
            self._keys_done("terminator")
            return
        self._by_speech = self._speaks = False
        self._keys += key
        if len(self._keys) in (verb.num_digits, verb.max_digits):
            self._keys_done("count")
            return
        if verb.inter_digit_timeout > 0 and verb.min_digits is not None and len(self._keys) >= verb.min_digits:
            self._inter_digit = now + verb.inter_digit_timeout
            self._overall = None
        if interrupted:
            self._prompt_over(now)

    def _voice(self, now: float, *, active: bool) -> None:
        """Take that the caller makes a sound, of which a recogniser tells before it knows the words."""
        self._speaks = active
        if self._overall is not None:
            self._start_timer(now)
        if active and self.verb.bargein and self.verb.min_bargein_word_count <= 1 and self._prompt.stop(self.effects):
            self._prompt_over(now)

    def _words(self, words: str, now: float) -> None:
        """Take a final transcript: it is the answer, even if it came into a prompt that nothing was to interrupt."""
        recognizer = self.verb.recognizer
        least = recognizer.min_confidence if recognizer else None
        low = bool(least and least > CONFIDENCE)
        results = {
            "reason": "stt-low-confidence" if low else "speechDetected",
            "speech": {
                "language_code": _language(self.verb),
                "channel_tag": 1,
                "is_final": True,
                "alternatives": [{"confidence": CONFIDENCE, "transcript": words}],
                "vendor": {"name": recognizer.vendor if recognizer else "default", "evt": {}},
            },
        }
        self._resolve("speech", results, ok=not low, words=words)

    def _keys_done(self, how: Result) -> None:
        self._resolve(how, {"reason": "dtmfDetected", "digits": self._keys}, keys=self._keys)

    def _resolve(
        self, result: Result, results: dict[str, Any], *, ok: bool = True, keys: str = "", words: str = ""
    ) -> None:
        self._prompt.stop(self.effects)
        self.finish(result, self.verb.action_hook, results, ok=ok, keys=keys, words=words)


def _language(verb: Gather) -> str:
    language = verb.recognizer.language if verb.recognizer else None
    return language if language and language != "default" else LANGUAGE


def question(op: str, verb: Gather) -> Recognize:
    """Return a gather as a question of ours, for whoever plays the caller."""
    most = verb.num_digits or verb.max_digits or MOST_KEYS
    digits = DigitInput(1, max(1, min(int(most), MOST_KEYS)), verb.finish_on_key or "", verb.inter_digit_timeout)
    phrases = hint_phrases(verb)
    if not is_by_speech(verb):
        return Recognize(op, (), digits=digits)
    if phrases:
        choices = tuple(Choice(phrase, speech=(phrase,)) for phrase in phrases)
        return Recognize(op, (), choices, language=_language(verb))
    return Recognize(op, (), digits=digits, free="yesno", language=_language(verb))
