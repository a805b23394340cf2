"""The metrics of a server, read over HTTP by Prometheus' own parser."""

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


class Page:
    """The metrics of one server, as their reader sees them."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self.port = port
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str = "GET", path: str = "/metrics", **headers: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"http://127.0.0.1:{self.port}{path}", headers=self.headers | headers) as answer,
        ):
            assert answer.status != 200 or answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            return answer.status, await answer.text()

    async def rows(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Return the values of each row by its name, and then by its labels' values, in their order."""
        status, text = await self.ask()
        assert status == 200
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in text_string_to_metric_families(text):
            for row in family.samples:
                found.setdefault(row.name, {})[tuple(value for _, value in sorted(row.labels.items()))] = row.value
        return found
