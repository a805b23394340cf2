"""The web service that the shipped flows ask: free times and appointments of a practice, orders of a shop.

    .venv/bin/python flows/services/demo_service.py --port 8090

It is what a company would have already, made small: it keeps everything in memory, and listens on this machine alone.
`make serve` starts it. Answers are JSON.

    GET  /slots?from=2026-12-01      free times from that day on: {"slots": [{"id", "day", "time"}, …]}
    POST /appointments               {"slot", "phone"}: 201 {"reference"}; 409: somebody else was faster; 422
    GET  /orders?number=4711         {"number", "state", "total", "day"}; 404: there is no such order
    POST /callbacks                  a webhook: somebody wants to be called back; 204. It does not look at the signature
"""

import argparse
from collections.abc import Iterator
from datetime import date, timedelta

from aiohttp import web

TIMES = ("09:00", "10:30", "14:00")
"When appointments begin."
DAYS = 3
"On so many days free times are offered."
SATURDAY = 5
ORDERS = {
    "4711": {"number": "4711", "state": "shipped", "total": 129.9, "day": "2026-12-03"},
    "4712": {"number": "4712", "state": "paid", "total": 1204.5, "day": None},
    "4713": {"number": "4713", "state": "cancelled", "total": 20, "day": None},
}


class Practice:
    """The appointments."""

    def __init__(self) -> None:
        self._references: dict[str, str] = {}
        "By slot."
        self._answered: dict[str, str] = {}
        "By idempotency key, what was answered: a request that is sent again does nothing again."

    def free(self, first: date) -> Iterator[dict[str, str]]:
        """Go through the free times from a day on, on the next working days."""
        days = (first + timedelta(days=number) for number in range(1, 2 * DAYS + 4))
        for day in [day for day in days if day.weekday() < SATURDAY][:DAYS]:
            for time in TIMES:
                slot = f"{day}T{time}"
                if slot not in self._references:
                    yield {"id": slot, "day": str(day), "time": time}

    def book(self, slot: str, key: str | None) -> str | None:
        """Book a slot, and return its reference; None: it is taken. A key that was seen gets the same reference."""
        if key is not None and key in self._answered:
            return self._answered[key]
        if slot in self._references:
            return None
        reference = self._references[slot] = f"A{len(self._references) + 1}"
        if key is not None:
            self._answered[key] = reference
        return reference


def application() -> web.Application:
    """Return the service, with nothing booked."""
    practice = Practice()

    async def slots(request: web.Request) -> web.Response:
        try:
            first = date.fromisoformat(request.query["from"])
        except (KeyError, ValueError):
            return _refusal(400, 'write "from" as 2026-12-01')
        return web.json_response({"slots": list(practice.free(first))})

    async def book(request: web.Request) -> web.Response:
        try:
            slot = (await request.json())["slot"]
        except (ValueError, KeyError, TypeError):
            slot = None
        if not isinstance(slot, str) or not slot:
            return _refusal(422, 'send {"slot": "…"}')
        reference = practice.book(slot, request.headers.get("Idempotency-Key"))
        if reference is None:
            return _refusal(409, "this time is taken")
        return web.json_response({"reference": reference}, status=201)

    async def order(request: web.Request) -> web.Response:
        found = ORDERS.get(request.query.get("number", ""))
        return _refusal(404, "there is no such order") if found is None else web.json_response(found)

    async def call_back(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=204)

    app = web.Application()
    app.add_routes(
        [
            web.get("/slots", slots),
            web.post("/appointments", book),
            web.get("/orders", order),
            web.post("/callbacks", call_back),
        ]
    )
    return app


def _refusal(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8090)
    web.run_app(application(), host="127.0.0.1", port=parser.parse_args().port, print=None)


if __name__ == "__main__":
    main()
