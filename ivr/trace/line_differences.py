"""What differs from line to line, in one table: which lines have it, what a caller notices, and why it is so.

The table is read by `ivr replay --channel` (`ivr.trace.other_line`), which tells for a recorded call at which of its
places a difference matters; by the tests that hold one flow to the same states on every line, where a difference is
either explained by one of these or a fault; and by docs/lines.md, part of which is made of it.

A difference is told by what a line can do (`ivr.capabilities`), never by its name: a new line has those that its
abilities say.
"""

from collections.abc import Callable

from msgspec import Struct

from ivr.capabilities import Capabilities
from ivr.trace import line_rules
from ivr.trace.line_rules import Moment


class LineDifference(Struct, frozen=True):
    """One way in which lines differ."""

    id: str
    affects: Callable[[Capabilities], bool]
    "Whether a line is one of those that cannot do what others can."
    short: str
    "What such a line does, in one sentence."
    noticed: str
    "What a caller, or whoever gets what the caller said, notices."
    reason: str
    "Why such lines cannot do it."
    at: Callable[[Moment, Capabilities], str | None]
    "What is noticed at one place of a call on a line of such abilities; None: nothing is."
    moves: bool = True
    "Whether a call can reach another state by it; else it only sounds other, or takes another time."
    once: bool = False
    "It is the same all through a call, so that it is told once."


DIFFERENCES: tuple[LineDifference, ...] = (
    LineDifference(
        "end-keys",
        lambda can: can.terminators < 5,
        "Fewer keys can end an input than the flow names.",
        "After another end key than the first nothing happens until a pause; then the answer counts without that key.",
        "A carrier's question has one key that ends it; we take the others off the end of what was keyed.",
        line_rules.end_keys,
    ),
    LineDifference(
        "one-timer",
        lambda can: not can.separate_first_timeout,
        "The wait for the first key and the pause between keys are one time, the longer of the two.",
        "The line waits longer: after silence, or after the last key where no end key was pressed.",
        "The carrier's question has one time for both.",
        line_rules.one_timer,
        moves=False,
    ),
    LineDifference(
        "lone-end-key",
        lambda can: not can.lone_terminator,
        "An end key without digits counts as silence.",
        "Who presses # alone hears the text for silence in place of that for a wrong answer.",
        "The carrier tells neither the key that ended an input nor that there was one.",
        line_rules.lone_end_key,
    ),
    LineDifference(
        "type-ahead",
        lambda can: not can.type_ahead,
        "Keys pressed before a question are lost.",
        "Callers who know the way have to wait for each question.",
        "Such a line listens only while it asks.",
        line_rules.type_ahead,
    ),
    LineDifference(
        "barge-in-kinds",
        lambda can: not can.barge_in_by_kind,
        "Keys and words interrupt a prompt alike.",
        "Where a flow lets only keys interrupt, a noise in the room stops the prompt, too.",
        "The question has one switch for both.",
        line_rules.barge_in_by_kind,
    ),
    LineDifference(
        "whole-prompt",
        lambda can: not can.whole_prompt_interruptible,
        "Only the last part of a question's prompt can be interrupted.",
        "Keys pressed during the first parts of a prompt of several are lost.",
        "The question takes one text or one file; what comes before it is played without listening.",
        line_rules.whole_prompt,
    ),
    LineDifference(
        "speech",
        lambda can: not can.speech or can.understands is not None or can.languages is not None,
        "Spoken choices are not understood, or not in every language.",
        "Only keys count: words are taken for silence.",
        "The line has no recogniser for that language.",
        line_rules.speech,
    ),
    LineDifference(
        "other-words",
        lambda can: not can.passes_over_words,
        "Words that are none of the choices are a wrong answer.",
        "Who says something else hears at once that it is no choice; elsewhere the line goes on listening.",
        "The carrier writes down whatever is said, and ends the question with it.",
        line_rules.other_words,
    ),
    LineDifference(
        "long-keys",
        lambda can: not can.long_keys,
        "Where choices have several keys, nothing that is said is understood.",
        "Only keys count there.",
        "The vendor's question is for choices of one key, or for digits without words.",
        line_rules.long_keys,
    ),
    LineDifference(
        "free-speech",
        lambda can: not can.free_speech,
        "Numbers, dates, yes and no are not understood when they are said.",
        "Only keys count there.",
        "The line recognises nothing but choices.",
        line_rules.free_speech,
    ),
    LineDifference(
        "no-recording",
        lambda can: can.recording == "none",
        "Nothing can be recorded.",
        "The state raises an error at once.",
        "The line has no recorder.",
        line_rules.no_recording,
    ),
    LineDifference(
        "in-writing",
        lambda can: can.writes,
        "A recording is what the caller writes, or a voice message.",
        "Callers write; who gets the message reads it, and there is nothing to listen to.",
        "A chat is written and read.",
        line_rules.in_writing,
    ),
    LineDifference(
        "recording-later",
        lambda can: can.recording == "later",
        "A recording comes some time after it was made.",
        "The caller waits for some seconds, and hears the state's `holdPrompt`.",
        "The carrier keeps the recording; the server fetches it from there.",
        line_rules.recording_later,
        moves=False,
    ),
    LineDifference(
        "format",
        lambda can: not {"wma", "wav", "mp3"} <= can.recording_formats,
        "A recording comes as WAV where the flow wants another format.",
        "Nothing on the phone; whoever gets the file gets a WAV file.",
        "The carrier, or our recorder, writes no other format.",
        line_rules.recording_format,
        moves=False,
    ),
    LineDifference(
        "silent-recording",
        lambda can: not can.tells_silence,
        "A recording in which nothing was said is a recording of silence.",
        "A caller who says nothing is not asked again.",
        "The carrier does not tell whether anything was said.",
        line_rules.silent_recording,
    ),
    LineDifference(
        "end-silence",
        lambda can: can.min_record_silence > 0,
        "A recording ends after a longer silence than the flow wants.",
        "It takes somewhat longer until the line goes on.",
        "The carrier has a shortest silence.",
        line_rules.end_silence,
        moves=False,
    ),
    LineDifference(
        "whole-seconds",
        lambda can: can.whole_seconds,
        "Times are rounded up to whole seconds.",
        "The line waits up to a second longer.",
        "The carrier takes whole seconds only.",
        line_rules.whole_seconds,
        moves=False,
    ),
    LineDifference(
        "transfer",
        lambda can: not can.transfer,
        "Nobody can be connected with somebody else.",
        "The flow goes on by `failed.unsupported` as soon as it comes to a transfer.",
        "The line does not offer it. Skype's own platform never did; a gateway does where its operator allows it.",
        line_rules.transfer,
    ),
    LineDifference(
        "transfer-failure",
        lambda can: not can.any_transfer_failure,
        "Not every reason for which a transfer fails is told apart.",
        "The flow takes the transition of another reason, such as `failed.noAnswer`.",
        "The carrier reports fewer reasons than SIP has.",
        line_rules.transfer_failure,
    ),
    LineDifference(
        "whisper",
        lambda can: not can.whisper,
        "Whoever answers a transfer is not told of the caller.",
        "Nothing; the other side misses the `whisper`.",
        "The carrier's verb has no place for it.",
        line_rules.whisper,
        moves=False,
    ),
    LineDifference(
        "reject",
        lambda can: not can.reject or can.rejection != "declined",
        "A rejected caller gets a busy tone or an announcement, not a declined call.",
        "Another tone, or the carrier's own words.",
        "The carrier decides what a rejected caller hears.",
        line_rules.reject,
        moves=False,
    ),
    LineDifference(
        "place-left",
        lambda can: not can.tells_place_left,
        "Who leaves during a text is taken to leave at the question, or the end, that follows it.",
        "Nothing; where the call ended, its transition `hangup` and its outcome can be those of what follows.",
        "The carrier tells that the call is over, not which part of a document was heard last.",
        line_rules.place_left,
    ),
    LineDifference(
        "language-told",
        lambda can: not can.tells_language,
        "The caller's language is not told.",
        "A flow of several languages begins in its first one.",
        "A telephone network knows numbers, not languages.",
        line_rules.tells_language,
        once=True,
    ),
    LineDifference(
        "language",
        lambda can: can.languages is not None,
        "Texts in other languages than the line has cannot be spoken.",
        "The text is not heard, or the line reports an error.",
        "The line's voice speaks certain languages only.",
        line_rules.language,
        moves=False,
        once=True,
    ),
)
