"""Replay: a recorded call through the flow of today, and the verdict. Pure: the same case and flow, the same verdict.

What is compared is the caller's experience from one caller action to the next: what is heard until the caller has to do
something, what can be done then, which state the call stands in, how it ends, what services are asked. How a flow gets
there is its own affair: a state more on the way that nobody notices is no difference.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ivr.engine.call import Taken
from ivr.engine.flow import Flow
from ivr.trace import case
from ivr.trace.case import CallerStep, Case, caller_steps
from ivr.trace.experience import Experience, FlowVoice, experience, total
from ivr.trace.recorded import header_of
from ivr.trace.rerun import Rerun, standing
from ivr.trace.verdict import Difference, Kind, Side, Unknown, Verdict, What


def replay(recorded: Case, flow: Flow) -> Verdict:
    """Run a case through a flow."""
    return _Replay(recorded, flow).verdict()


class _Replay:
    def __init__(self, recorded: Case, flow: Flow) -> None:
        self.recorded = recorded
        self.flow = flow
        self.names = _Names(recorded, flow)
        self.voice = FlowVoice.of_case(recorded.header)
        self.rerun = Rerun(recorded, flow, self.voice)
        self.path: list[Taken] = []
        self.wording: Difference | None = None

    def verdict(self) -> Verdict:
        asked: case.Asked | None = None
        for caller_step in caller_steps(self.recorded):
            try:
                self.rerun.caller_step(caller_step.first, asked, caller_step.upcoming)
            except Unknown as unknown:
                self.path += [taken for line in caller_step.lines for taken in line.path]
                return self._undetermined(caller_step, unknown)
            self.path += [taken for line in caller_step.lines for taken in line.path]
            way = self._compared(caller_step)
            if isinstance(way, Unknown):
                return self._undetermined(caller_step, way)
            if way is not None:
                return self._told(way=way)
            asked = next((line.asked for line in reversed(caller_step.lines) if line.asked), None)
        return self._told()

    def _compared(self, caller_step: CallerStep) -> Difference | Unknown | None:
        """Compare both sides after a caller action; a difference in wording is kept, and the call goes on."""
        if self._is_plainly_same(caller_step):
            return None
        before, now = self._before(caller_step), self._now()
        if self.names.is_new_question(before, now):
            return Unknown(f'"{now.state}" asks something that this caller never answered', now.state)
        what = self._way(caller_step, before, now)
        if what is not None:
            return self._difference("way", what, caller_step, before, now)
        if self.wording is None and _heard(before.experience) != _heard(now.experience):
            self.wording = self._difference("wording", "heard", caller_step, before, now)
        if self.wording is None and before.experience.told != now.experience.told:
            self.wording = self._difference("wording", "told", caller_step, before, now)
        if self.wording is None and before.experience.kept != now.experience.kept:
            self.wording = self._difference("wording", "kept", caller_step, before, now)
        return None

    def _is_plainly_same(self, caller_step: CallerStep) -> bool:
        """Return whether both sides are the same to the letter, as nearly all are: nothing has to be looked into."""
        then, today = total(caller_step.lines), total(self.rerun.effects)
        if then != today or not self.names.are_one(standing(self.path), self.rerun.state):
            return False
        outcome = self.recorded.header.outcome if caller_step.upcoming is None else None
        return outcome == (self.rerun.call.outcome if self.rerun.over else None)

    def _way(self, caller_step: CallerStep, before: Side, now: Side) -> What | None:
        then, today = before.experience, now.experience
        if then.end != today.end:
            return "end"
        if not self.names.are_one(before.state, now.state):
            return "state"
        if then.task != today.task:
            return "asked"
        if _services(then) != _services(today):
            return "ordered"
        if _recipients(then) != _recipients(today):
            return "told"
        if caller_step.upcoming is not None or self.recorded.header.outcome is None:
            return "end" if self.rerun.over else None
        if not self.rerun.over:
            return "end"
        return "outcome" if before.outcome != now.outcome else None

    def _before(self, caller_step: CallerStep) -> Side:
        header = self.recorded.header
        return Side(
            experience(caller_step.lines, self.voice),
            standing(self.path),
            tuple(self.path),
            tuple(taken for line in caller_step.lines for taken in line.path),
            header.outcome if caller_step.upcoming is None else None,
        )

    def _now(self) -> Side:
        rerun = self.rerun
        ended = rerun.call.outcome if rerun.over else None
        return Side(experience(rerun.effects, self.voice), rerun.state, tuple(rerun.path), tuple(rerun.steps), ended)

    def _difference(self, kind: Kind, what: What, caller_step: CallerStep, before: Side, now: Side) -> Difference:
        return Difference(kind, what, caller_step.first.at, caller_step.first.event, before, now)

    def _undetermined(self, caller_step: CallerStep, unknown: Unknown) -> Verdict:
        here = self._difference("way", "asked", caller_step, self._before(caller_step), self._now())
        return self._told(why=unknown.why, where=unknown.state, unknown=here)

    def _told(
        self,
        *,
        way: Difference | None = None,
        why: str | None = None,
        where: str = "",
        unknown: Difference | None = None,
    ) -> Verdict:
        changed = self.wording is not None or way is not None
        return Verdict(
            "changed" if changed else "undetermined" if why else "same",
            wording=self.wording,
            way=way,
            why=why,
            where=where,
            unknown=unknown,
            renamed=dict(self.names.renamed),
        )


def _heard(side: Experience) -> tuple[object, ...]:
    return side.heard, side.prompt, side.held


def _services(side: Experience) -> Sequence[tuple[str, object]]:
    return [(order.service, order.arguments) for order in side.ordered]


def _recipients(side: Experience) -> Sequence[tuple[str, str, int]]:
    return [(told.way, told.to, told.recordings) for told in side.told]


class _Names:
    """Which state of today is which of that day: those of one name, and those that were plainly renamed."""

    def __init__(self, recorded: Case, flow: Flow) -> None:
        self.renamed: dict[str, str] = {}
        self._then = recorded.header.states
        self._asked_then = frozenset(recorded.header.asks)
        self._today = flow.states

    def are_one(self, then: str, today: str) -> bool:
        """Return whether two names mean one state; from now on, if one was gone and the other new."""
        if then in self.renamed:
            return self.renamed[then] == today
        if then == today:
            return True
        if then in self._today or today in self._then or today in self.renamed.values():
            return False
        self.renamed[then] = today
        return True

    def is_new_question(self, before: Side, now: Side) -> bool:
        """Return whether something is asked today, in a state that asked nothing when the call was made."""
        task = now.experience.task
        if task is None or now.state == before.state or now.state in self._asked_then:
            return False
        return task != before.experience.task or not self.are_one(before.state, now.state)


# --- made anew -------------------------------------------------------------------------------------------------------


class CannotRewrite(Exception):  # whoever calls `rewrite` turns it into a message
    """It is not known how the call would go on; the text says why."""


def rewrite(recorded: Case, flow: Flow, lines: Mapping[str, int]) -> Case:
    """Make a case anew: the same caller actions, with what is heard and asked today. For changes on purpose.

    Raise CannotRewrite where today's flow has no use for what the caller did next: what the caller would have done is
    not known, so a new call is needed. `lines`: where the states of the flow stand in its file.
    """
    then = recorded.header
    rerun = Rerun(recorded, flow, FlowVoice(flow.language, flow.voice))
    asked: case.Asked | None = None
    for caller_step in caller_steps(recorded):
        if rerun.over:
            break  # the call ends sooner today
        try:
            rerun.caller_step(caller_step.first, asked, caller_step.upcoming)
        except Unknown as unknown:
            raise CannotRewrite(unknown.why) from unknown
        asked = next((line.asked for line in reversed(caller_step.lines) if line.asked), None)
    if then.outcome is not None and not rerun.over:
        raise CannotRewrite("the call no longer ends where it ended")
    header = header_of(flow, lines, call=then.call, channel=then.channel, started=recorded.now(0.0))
    outcome = rerun.call.outcome if rerun.over else None
    return Case(replace(header, outcome=outcome), tuple(draft.line() for draft in rerun.lines))
