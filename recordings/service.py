"""The web service of the shipped flows while their cases are made: it answers as the call is meant to go."""

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from recordings.shortest_calls import CallerStep, is_slow_step, served
from recordings.surroundings import LATE

PORT = 8090
"As the flows have it in their addresses."
DELAY = 3.0
"Seconds that what is slow takes: more than a reply waits."
PATIENCE = 20.0
"Seconds in which a flow asks what it is to ask."
TOO_LATE = 6.0
"Seconds: more than the flows wait for an answer."


class Service:
    """The answers to come, in their order."""

    def __init__(self) -> None:
        self._next: deque[CallerStep] = deque()

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Service"]:
        """Answer on the port of the flows."""
        service = cls()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # as the library calls it
                answer = service.answer()
                if isinstance(answer, str):
                    self.close_connection = True
                    return
                status, body = answer
                content = b"" if body is None else json.dumps(body).encode()
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", PORT), Handler) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            yield service
            server.shutdown()

    def will_answer(self, steps: Iterable[CallerStep]) -> None:
        """Note what is answered next, once all that was noted has been: a call goes on after its caller has left."""
        ends = time.monotonic() + PATIENCE
        while left := [step for step in self._next if not isinstance(served(step), str)]:
            assert time.monotonic() < ends, f"the flow did not ask: {left}"
            time.sleep(0.05)
        self._next = deque(steps)

    def answer(self) -> tuple[int, object] | str:
        """Return the next answer, once it is time. What fails does so however often it is asked."""
        answer = served(self._next[0])
        if answer == LATE:
            time.sleep(TOO_LATE)
        elif is_slow_step(self._next[0]):
            time.sleep(DELAY)
        if not isinstance(answer, str):
            self._next.popleft()
        return answer
