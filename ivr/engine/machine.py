"""The call state machine: how one event moves one call.

    event -> `receiving.stale`: does it answer what is awaited? -> `receiving.receive`: the state's action judges it
          -> `transitions.run`: its result is followed from state to state, until the call has settled -> `Step`

The machine knows states, transitions and what is awaited. It never learns which action a state has (`actions`), how a
reply is put together (`draft`), or which channel carries the call. These are its laws:

1. What answers something else than what is awaited is ignored, and changes nothing: `step(...).call is call`. Platforms
   repeat messages and deliver them late, services run twice, and of two that race one commits first. So nothing
   outside has to know whether an event still counts: whoever has one sends it.
2. What counts belongs to the state that asked. That is not always the state where the call stands: a reply can lead
   through many states before the caller has heard the first (C14). If its first prompt fails, the call goes back there.
3. A step goes on until the call has settled: the line has a command, a service has a request, or the call is over.
   Within a step nothing waits, and between steps nothing moves.
4. Every call ends. What a call waits for comes, or its deadline does: that of a service or a recording is the machine's
   (`Call.deadline`), that of a silent line the turn's. What could go round in circles is counted: the states of one
   step, failures of the line in a row, hold prompts, and by the author's limits turns and seconds.
5. `over` is final. What still runs after the caller has gone, the silent rest (C13), is an ordinary run of the flow in
   which nothing is spoken. `hangup` is raised once in it, so that its handler cannot keep the call alive.

A call is in one of seven phases. They say what is between it and the caller, and so what it can wait for:

    new --> ringing --> answering --> answered
     |         ^            |            ^
     |         +------------+            |   the line refused the whole reply, and its answer with it
     +-----------> calling --------------+   a call of ours: the flow begins when somebody answers
    answering, answered --> gone        the caller has left, and something is still to come
    all of them --> over                nothing more is to come

    phase      the call waits for
    new        its beginning
    calling    what becomes of a call of ours: that the other side is rung, that somebody answers, or why nobody does
    ringing    the outcome of `reject`; or a service, as long as the line needs no reply: then the call is answered, and
               all that is not declined is answered in the step that says or asks something
    answering  the outcome of a reply that begins with `answer`; a success, or a failure after the answer, ends this.
               A service, if that reply holds its hold prompt, or what is said before it
    answered   the outcome of its last reply, or a service, with a hold prompt or without one. A call of ours begins
               here, so that `answer` is done at once, and `reject` hangs up
    gone       a service; or, until `grace_until`, a recording that was under way when the line told of the end
    over       nothing

The caller who signs in is waited for as a service is, but only while there is a caller: whoever has left is not.

A recording that was announced without its audio is waited for like a service: `fetch` brings it, and its answer is
`RecordingReady`.

What an event can lead to, by the phase in which it finds the call: `=` is the same phase, `-` is always ignored.
Wherever a phase is named, the event can be ignored as well, by law 1.

    event            new                calling   ringing           answering                answered     gone    over
    CallReceived     ringing answering  -         -                 -                        -            -       -
    CallPlaced       calling            -         -                 -                        -            -       -
    CallRinging      -                  =         -                 -                        -            -       -
    CallAnswered     -                  answered  -                 -                        -            -       -
    CallNotAnswered  -                  over      -                 -                        -            -       -
    KeysPressed      -                  -         -                 answered                 =            -       -
    KeysJudged       -                  -         -                 answered                 =            -       -
    SpeechHeard      -                  -         -                 answered                 =            over    -
    ChoiceMade       -                  -         -                 answered                 =            -       -
    InputTimedOut    -                  -         -                 answered                 =            over    -
    InputInvalid     -                  -         -                 answered                 =            -       -
    RecordingMade    -                  -         -                 answered gone over       = gone over  = over  -
    CallEnded        over               over      gone over         gone over                gone over    over    -
    ServiceAnswered  -                  -         -                 -                        =            over    -
    HttpAnswered     -                  -         = answering       =                        =            over    -
    SignInBegun      -                  -         answering         =                        =            -       -
    SignInChecked    -                  -         = answering       =                        =            -       -
    ServiceFailed    -                  -         answering         =                        =            over    -
    RecordingReady   -                  -         -                 -                        =            = over  -
    OperationDone    -                  -         over              answered over            = over       -       -
    Transferred      -                  -         -                 over                     over         -       -
    TransferFailed   -                  -         -                 answered                 =            -       -
    OperationFailed  -                  -         = answering over  ringing = answered over  = over       over    -
    HoldNeeded       -                  -         answering         =                        =            -       -
    TimePassed       -                  -         answering         =                        =            over    -
    LineReported     -                  -         -                 -                        -            -       -

`tests/engine/test_phases.py` tries every event on every call that some flows can come to, and holds both tables.
"""

from ivr.engine.call import Call, Judged, Step
from ivr.engine.draft import Draft
from ivr.engine.events import Event
from ivr.engine.flow import Flow
from ivr.engine.masking import masked, without_foreign_id
from ivr.engine.receiving import Ignored, receive, stale
from ivr.engine.transitions import run


def step(flow: Flow, call: Call, event: Event, *, now: float, judged: tuple[Judged, ...] = ()) -> Step:
    """Apply one event to one call; same arguments, same answer.

    `now` is in seconds since 1970, UTC. `judged` is what a trace recorded for this event: it decides guards over
    masked values, and nothing else.
    """
    if call.phase == "over":
        return _ignored(call, event, "the call is over")
    draft = Draft(flow, call, now, judged)
    received = stale(draft, event) or receive(draft, event)
    if type(received) is Ignored:
        return _ignored(call, event, received.reason)
    run(draft, received)
    draft.remember()
    return Step(
        draft.frozen(),
        tuple(draft.commands),
        tuple(draft.path),
        traced=draft.traced,
        judged=tuple(draft.judge.said),
        failures=tuple(draft.failures),
    )


def _ignored(call: Call, event: Event, why: str) -> Step:
    """Leave a call as it is. No action has judged whether what came in is private, so none of it is kept."""
    return Step(call, ignored=why, traced=without_foreign_id(masked(event), call.steps))
