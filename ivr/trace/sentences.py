"""A call in words, for people: what was done, heard, asked and reached."""

from collections.abc import Iterable, Mapping, Sequence

from ivr.engine.call import Failure, Taken
from ivr.engine.cards import Button, CardFace
from ivr.engine.commands import Audio, Card, Choice, FreeSpeech, Recorded, Segment, Silence, Text
from ivr.engine.events import (
    AnsweredBy,
    CallAnswered,
    CallNotAnswered,
    CallPlaced,
    CallReceived,
    ChoiceMade,
    InputInvalid,
    InputTimedOut,
    KeysJudged,
    KeysPressed,
    NotAnswered,
    SignInResult,
    SpeechHeard,
    Transcribed,
    TransferFailed,
    TransferFailure,
    Transferred,
)
from ivr.engine.line_facts import LineFacts
from ivr.engine.naming import is_name
from ivr.engine.values import MaskedValue, Stored, unpack
from ivr.trace import case
from ivr.trace.case import Asked, AskedChoices, AskedKeys, Happened, Ordered, Told

_NOT_CONNECTED: Mapping[TransferFailure, str] = {
    "busy": "the other side is busy",
    "noAnswer": "nobody answered",
    "rejected": "it was declined",
    "unreachable": "nobody can be reached there",
    "unsupported": "the line does not transfer calls",
}


_ANSWERED: Mapping[AnsweredBy, str] = {
    "human": "a person answered",
    "machine": "an answering machine answered",
    "unknown": "the call was answered",
}
_UNANSWERED: Mapping[NotAnswered, str] = {
    "busy": "the other side was busy",
    "noAnswer": "nobody answered",
    "rejected": "the call was declined",
    "unreachable": "nobody could be reached there",
    "failed": "the line could not place the call",
}


def clock(seconds: float) -> str:
    """Write a time since the start of a call: `0:04`. None is negative, though a clock may have been set back."""
    whole = max(int(seconds), 0)
    return f"{whole // 60}:{whole % 60:02d}"


def line_in_short(facts: LineFacts) -> str:
    """Write by what a call came, for a list: `sip 192.0.2.7:5060, PCMA, 0.4 % lost`."""
    way = " ".join(part for part in (facts.kind, facts.trunk) if part)
    return ", ".join(part for part in (way, facts.codec, _lost(facts)) if part)


def line_in_full(facts: LineFacts) -> str:
    """Write all that a line has told of itself; empty: nothing that is worth a word."""
    way = " ".join(part for part in (facts.kind, facts.trunk and f"from {facts.trunk}") if part)
    encrypted = {None: None, True: "encrypted", False: "not encrypted"}[facts.encrypted]
    parts = (
        f"{way} over {facts.transport}" if facts.transport else way,
        facts.called and f"dialled {facts.called}",
        facts.diverted and f"diverted from {facts.diverted}",
        "number withheld" if facts.withheld else None,
        "transfer offered" if facts.transfer else None,
        facts.codec,
        encrypted,
        facts.packets is not None and f"{facts.packets:,} packets of sound",
        _lost(facts),
        facts.jitter is not None and f"{facts.jitter:g} ms jitter",
        facts.ended and f"ended: {facts.ended}",
        facts.status and f"SIP status {facts.status}",
    )
    return ", ".join(part for part in parts if part)


def _lost(facts: LineFacts) -> str | None:
    return None if facts.loss is None else f"{facts.loss:g} % lost"


def spoken(segments: Iterable[Segment]) -> str:
    """Write what is heard as one text."""
    return " ".join(_said(segment) for segment in segments)


def _said(segment: Segment) -> str:
    match segment:
        case Text(value=value):
            return value
        case Silence(milliseconds=milliseconds):
            return f"({milliseconds / 1000:g} s of silence)"
        case Recorded(text=text):
            return f'(the recording: "{text}")' if text else "(the recording)"
        case Audio():
            return segment.text or f"(audio {segment.url or (segment.asset or '')[:12]})"
        case Card(face=face):
            return _card(face)


def _card(face: CardFace) -> str:
    """Write what there is to see of a card: its words, and its buttons in brackets."""
    rows = [f"{fact.key}: {fact.value}" for fact in face.facts]
    rows += [" ".join(filter(None, (one.quantity, one.title, one.subtitle, one.text, one.price))) for one in face.items]
    sums = (("total", face.total), ("tax", face.tax), ("VAT", face.vat))
    rows += [f"{name} {amount}" for name, amount in sums if amount]
    words = [word for word in (face.title, face.subtitle, face.text, face.name or face.url) if word]
    shown = ", ".join((*words, *rows, *map(_button, face.buttons)))
    return f"({face.kind}: {shown})" if shown else f"({face.kind})"


def _button(button: Button) -> str:
    return f"[{button.title}]"


def differing(before: Sequence[Segment], now: Sequence[Segment]) -> str | None:
    """Return what differs where the words do not: the voice, the audio file."""
    for one, other in zip(before, now, strict=False):
        if type(one) is type(other) and one != other:
            changed = [name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name, None)]
            return ", ".join(
                f"{name} {_short(getattr(one, name))} is now {_short(getattr(other, name))}" for name in changed
            )
    return None


def closed_by_operator(closed: Iterable[str]) -> str:
    """Return what the operator had closed when a call came in."""
    return f"the operator had closed {', '.join(sorted(closed))}"


def _short(value: object) -> str:
    return str(value)[:12]


def caller_action(event: Happened) -> str:
    """Return what happened, after "the caller" or "the line" or "the service"."""
    match event:
        case CallReceived(closed=closed) | CallPlaced(closed=closed):
            began = "the call came in" if isinstance(event, CallReceived) else "the call was placed"
            return f"{began}; {closed_by_operator(closed)}" if closed else began
        case KeysPressed(keys=keys):
            return f"the caller pressed {keys}" if keys else "the caller pressed only the end key"
        case KeysJudged(verdict=verdict):
            return f"the caller entered private digits ({verdict})"
        case SpeechHeard(text=text):
            return f'the caller said "{text}"'
        case ChoiceMade(choice=choice, by=by):
            return f"the caller chose {_named(choice)} by {'a key' if by == 'keys' else 'speech'}"
        case InputTimedOut():
            return "the caller was silent"
        case InputInvalid():
            return "the caller gave an invalid answer"
        case case.Recorded(seconds=seconds, ended=ended):
            return f"the caller spoke for {seconds:.1f} s" + (" and hung up" if ended == "hangup" else "")
        case _:
            return _of_others(event)


def _of_others(event: Happened) -> str:
    match event:
        case CallAnswered() | CallNotAnswered():
            return _of_ours(event)
        case Transferred():
            return "the caller was connected"
        case TransferFailed(reason=reason, status=status):
            return f"the transfer failed: {_NOT_CONNECTED[reason]}" + (f" ({status})" if status else "")
        case case.HungUp(by=by):
            return "the caller hung up" if by == "caller" else f"the call was ended by the {by}"
        case case.LineFailed(code=code, whole=whole, reason=reason):
            why = f"{code}: {reason}" if reason else code
            return f"the line refused the reply ({why})" if whole else f"the line failed ({why})"
        case _:
            return _of_services(event)


def _of_services(event: Happened) -> str:
    match event:
        case case.Answered(service=service, answer=answer):
            return f"{service} answered" + _answer(answer)
        case case.Responded(service=service, status=status):
            return f"{service} answered {status}"
        case case.SignInOpened(by=by):
            return f"the caller can sign in by {by}"
        case case.SignInJudged(result=result):
            return f"the sign-in is {_SIGN_IN.get(result, result)}"
        case case.Arrived():
            return "the recording arrived"
        case case.Failed(service="fetch", code=code):
            return f"the recording did not arrive ({code})"
        case case.Failed(service=service, code=code):
            return f"{service} failed ({code})"
    return "something happened"


_SIGN_IN: Mapping[SignInResult, str] = {
    "signedIn": "done",
    "wrong": "not done: the code is wrong",
    "burnt": "over: too many codes were wrong",
    "failed": "refused",
}


def _of_ours(event: case.PickedUp) -> str:
    if isinstance(event, CallAnswered):
        return _ANSWERED[event.by]
    return _UNANSWERED[event.reason] + (f" ({event.status})" if event.status else "")


def failure(failed: Failure, file: str) -> str:
    """Return what went wrong in a flow, and where its author finds it; `file` is that of the flow that was called."""
    file = failed.file or file
    where = f"{file}:{failed.line}" if file else f"line {failed.line}"
    return f"{failed.event} in {failed.state} ({where}): {failed.reason}"


def _answer(answer: Transcribed) -> str:
    return f' "{answer.transcript}"' if answer.transcript else ""


_SAID: Mapping[FreeSpeech, str] = {"number": "a number", "date": "a date", "yesno": "yes or no"}


def question(asked: Asked | None) -> str:
    """Return what a caller can do."""
    match asked:
        case None:
            return "nothing is asked"
        case AskedChoices(choices=choices):
            return f"the caller can choose {', '.join(_choice(choice) for choice in choices)}; {_times(asked)}"
        case AskedKeys(minimum=least, maximum=most, terminators=ends):
            number = f"{least}" if least == most else f"{least} to {most}"
            said = f", or say {_SAID[asked.free]}" if asked.free else ""
            ended = " or ".join(ends) or "a pause"
            return f"the caller can enter {number} digits, ended by {ended}{said}; {_times(asked)}"
        case case.AskedTransfer(target=target, ringing=ringing, whisper=whisper):
            shown = f', which is shown "{whisper}"' if whisper else ""
            return f"the caller is connected with {target}{shown}; it may ring for {ringing:g} s"
        case case.AskedRecording(longest=longest, pause=pause, format=kind):
            until = f"until {pause:g} s of silence"
            return f"the caller is recorded for up to {longest:g} s ({kind}), {until}; {_times(asked)}"


def _choice(choice: Choice) -> str:
    inputs = [f"key {choice.key}"] if choice.key else []
    inputs += [f'"{words}"' for words in choice.speech]
    offered = " or ".join(inputs)
    return f"{_named(choice.name)} ({offered})" if choice.name else offered


def _named(choice: str) -> str:
    """Write the name of a choice; any text can be one, so that it has to be told from the words around it."""
    return choice if is_name(choice) else f'"{choice}"'


def _times(asked: AskedChoices | AskedKeys | case.AskedRecording) -> str:
    limits = f"may be silent for {asked.silence:g} s"
    if not isinstance(asked, AskedChoices | AskedKeys):
        return limits
    if asked.inter_digit is not None:
        limits += f" and pause for {asked.inter_digit:g} s"
    by_speech = asked.barge_in if asked.barge_in_speech is None else asked.barge_in_speech
    if not asked.barge_in and not by_speech:
        limits += ", and cannot interrupt"
    elif asked.barge_in is not by_speech:
        limits += f", and can interrupt by {'keys' if asked.barge_in else 'words'} alone"
    return limits + (", and can press keys before" if asked.type_ahead else "")


def services(ordered: Iterable[Ordered]) -> str:
    """Return what services are asked."""
    return ", ".join(map(_service, ordered)) or "no service"


def _service(order: Ordered) -> str:
    """Return the name of a service; of a web service, what it is asked."""
    if "url" not in order.arguments:
        return order.service
    return f"{order.service} ({order.arguments.get('method')} {order.arguments['url']})"


def told(notifications: Iterable[Told]) -> str:
    """Return who is told of what; empty: nobody is."""
    return "; ".join(_told(one) for one in notifications)


def _told(one: Told) -> str:
    attached = f", with {one.recordings} recording{'' if one.recordings == 1 else 's'}" if one.recordings else ""
    said = " ".join(f"{one.subject} | {one.text}".strip(" |").split())
    return f"{one.way} to {one.to}{attached}" + (f': "{said}"' if said else "")


def kept(values: Mapping[str, Stored]) -> str:
    """Return what is kept of the caller beyond the call, and what is erased of that; empty: nothing is."""
    several = [_kept(name, value) for name, value in values.items() if value is not None]
    erased = [name for name, value in values.items() if value is None]
    return "; ".join(
        f"{what} of the caller: {', '.join(names)}" for what, names in (("kept", several), ("erased", erased)) if names
    )


def _kept(name: str, value: Stored) -> str:
    return name if isinstance(value, MaskedValue) else f"{name} = {' '.join(str(unpack(value)).split())}"


def path(taken: Sequence[Taken]) -> str:
    """Write a path as the states it leads through: `main → describe → thanks`."""
    names = [one.target or f"{one.event}: the end" for one in taken]
    return " → ".join(names)
