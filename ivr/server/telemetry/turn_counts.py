"""What turns and jobs are counted as: plain numbers in memory, since each message of each call passes here.

No label is a caller's choice: flows, states and outcomes are words of flow files, channels and services ours.
"""

from ivr.engine.events import Event, RecordingMade, RecordingReady, ServiceFailed, ServicesEvent
from ivr.errors import StaleCall
from ivr.histogram import Histogram
from ivr.server.telemetry.job_watch import DeliveryTry, JobTimes
from ivr.server.telemetry.label_counts import LabelCounts
from ivr.storage import Order
from ivr.turn_log import written_outcome
from ivr.turn_watch import Turn, TurnTimes

STAGES = ("receive", "load", "advance", "save", "service")
"""Of a turn, in their order: the request is read and its sender known; call and flow are looked up; the arithmetic; the
store makes it durable; the reply waits for a service."""
STAGE_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"Seconds, like all bounds here."
REPLY_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0)
JOB_BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
CALL_BOUNDS = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)


class TurnCounts:
    """`TurnWatch` and `JobWatch`: the counters of one server."""

    def __init__(self) -> None:
        self.started, self.ended, self.entered = LabelCounts(), LabelCounts(), LabelCounts()
        "Calls by flow and channel; by flow, last state and outcome; states by flow and name."
        self.turns, self.flow_errors = LabelCounts(), LabelCounts()
        "By channel; by flow."
        self.stale = self.unsaved = 0
        self.stages: dict[tuple[str, ...], Histogram] = {(stage,): Histogram(STAGE_BOUNDS) for stage in STAGES}
        self.replies = Histogram(REPLY_BOUNDS)
        self.calls = Histogram(CALL_BOUNDS)
        "The length of those that are over."
        self.recordings = LabelCounts({("turn",): 0, ("apart",): 0})
        "By where they are kept: `turn`, with the turn that took them, or `apart`."
        self.recorded = 0.0
        "Seconds of sound."
        self.jobs = LabelCounts()
        "By service and what became of them."
        self.services: dict[tuple[str, ...], Histogram] = {}
        "How long they took, by service."
        self.deliveries = LabelCounts()
        "By kind and what became of a try."
        self._receive, self._load, self._advance, self._save, self._service = self.stages.values()

    # --- turns ---

    def saved(self, turn: Turn, times: TurnTimes) -> None:
        """Count a turn that was saved."""
        self._advance.add(times.handed - turn.began)
        self._save.add(times.saved - times.handed)
        if times.arrived:
            self._receive.add(times.taken - times.arrived)
            self._load.add(turn.began - times.taken)
        record, flow = turn.commit.record, turn.flow.name
        channel = record.key.channel
        self.turns.count(channel)
        if record.version == 1:
            self.started.count(flow, channel)
        for step in turn.commit.trace:
            for taken in step.path:
                if taken.target:
                    self.entered.count(flow, taken.target)
            if step.failures:
                self.flow_errors.count(flow, by=len(step.failures))
            if step.ignored is None:
                self._take_recording(step.event, with_turn=turn.commit.audio is not None)
        if turn.ends_call:
            call = record.call
            self.ended.count(flow, call.state, written_outcome(turn.flow, call))
            self.calls.add(turn.began - call.facts.started)

    def _take_recording(self, event: Event, *, with_turn: bool) -> None:
        if (made := type(event) is RecordingMade) or type(event) is RecordingReady:  # most are neither: soonest said so
            if event.media is not None:
                self.recordings.count("turn" if with_turn else "apart")
            if made:
                self.recorded += max(event.seconds, 0.0)

    def not_saved(self, turn: Turn, times: TurnTimes, error: Exception) -> None:
        """Count a turn that was not saved; the time that its store took counts."""
        self._save.add(times.saved - times.handed)
        if isinstance(error, StaleCall):
            self.stale += 1
        else:
            self.unsaved += 1

    def waited(self, call: str, message: str, since: float, until: float) -> None:
        """Count a wait of a reply for a service."""
        self._service.add(until - since)

    def replied(self, call: str, message: str, arrived: float, now: float) -> None:
        """Count a reply."""
        self.replies.add(now - arrived)

    # --- jobs ---

    def job_done(self, order: Order, times: JobTimes, event: ServicesEvent) -> None:
        """Count a job whose answer was saved."""
        service = order.request.service
        self.jobs.count(service, event.code if isinstance(event, ServiceFailed) else "answered")
        self.services.setdefault((service,), Histogram(JOB_BOUNDS)).add(times.answered - times.began)

    def delivered(self, tried: DeliveryTry) -> None:
        """Count a try to deliver something."""
        self.deliveries.count(tried.kind, tried.result)
