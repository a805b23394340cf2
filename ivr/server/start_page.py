"""The page at `/` of a server for development: where everything is, and how the flows stand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from ivr.errors import WebhookError
from ivr.server.closings import Closings
from ivr.server.console.console_page import document, flow_link, heading, name_tag, page_reply, sheet, table
from ivr.server.console.flow_pages import closed_tags, finding_sheets, standing
from ivr.server.flow_registry import FlowRegistry, RegisteredFlow
from ivr.server.html import Html, join, tag
from ivr.server.page_frame import CHAT, CONSOLE, PHONE, START
from ivr.server.replies import headers

DOCS = "/docs/"
FOLDER = Path(__file__).parents[2] / "docs"
"Of a checkout; an installed package has none."


class StartPages:
    """The start page, and the documentation beside it."""

    def __init__(
        self, registry: FlowRegistry, closings: Closings, *, mails: Path | None = None, docs: Path = FOLDER
    ) -> None:
        """`mails` is the folder into which mails are written; None: they are sent."""
        self._registry = registry
        self._closings = closings
        self._docs = docs
        self._mails = mails

    @staticmethod
    def owns(path: str) -> bool:
        """Return whether an address is the start page's."""
        return path == START or path.startswith(DOCS)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; raise WebhookError where there is nothing for it."""
        if request.method not in {"GET", "HEAD"}:
            raise WebhookError(405, "method", "Only GET is allowed for the start page.")
        known = documents(self._docs)
        path = request.rel_url.path
        if path == START:
            titles = {file.name: title for file, title in known.items()}
            return page_reply(start_page(self._registry.all(), titles, self._closings, mails=self._mails))
        text = next((file.read_bytes() for file in known if path == f"{DOCS}{file.name}"), None)
        if text is None:
            raise WebhookError(404, "not-found", "Not found.")
        return web.Response(body=text, headers=headers("text/plain; charset=utf-8"))


def documents(folder: Path) -> Mapping[Path, str]:
    """Find the pages of the documentation, each with its title."""
    return {file: _title(file) for file in sorted(folder.glob("*.md"))}


def _title(file: Path) -> str:
    with file.open(encoding="utf-8") as text:
        return text.readline().removeprefix("#").strip() or file.stem


def start_page(
    registry: Sequence[RegisteredFlow], docs: Mapping[str, str], closings: Closings, *, mails: Path | None = None
) -> Html:
    """Make the page; `docs` has the title of each page of the documentation by its file's name.

    `mails` is the folder into which mails are written; None: they are sent.
    """
    findings_of_all = [part for one in registry for part in finding_sheets(one)]
    return document(
        "Start",
        heading("ivr", tag("span", "A server for development: requests need no token, and only this machine can "
                           "connect.", class_="soft")),
        tag("div", _place("Phone", PHONE, "Call a flow and talk to it, by key and by voice. See where the call stands, "
                          "keep it as a test, and replay it against your next edit."),
            _place("Chat", CHAT, "Write to a flow, as on the page of a company. See the cards and the buttons that it "
                   "sends."),
            _place("Console", CONSOLE, "Live and finished calls, and what callers do in each flow. It "
                   "asks for the token that the server has printed."), class_="tiles"),
        sheet("Flows", _flows(registry, closings), aside="files are loaded as you edit them", live="flows"),
        tag("div", *findings_of_all, class_="stack", data_live="findings"),
        sheet("Mails", tag("p", "There is no mail server, so the mails of flows are written into the folder ",
                           tag("code", str(mails)), ".", class_="body")) if mails else None,
        sheet("Documentation", tag("div", _documentation(docs), class_="body")),
        here=START,
        leave=False,
        development=True,
    )  # fmt: skip


def _place(name: str, path: str, about: str) -> Html:
    link = tag("a", f"Open the {name.lower()}", href=path, class_="button strong")
    return sheet(name, tag("div", tag("p", about), tag("p", link), class_="body"))


def _flows(registry: Sequence[RegisteredFlow], closings: Closings) -> Html:
    rows = {
        str(one.file): (
            flow_link(one.flow.name) if one.flow else name_tag(one.file.stem),
            one.flow.description if one.flow else "",
            join([standing(one), *closed_tags(one, closings)]),
            _trials(one.flow.name) if one.flow else "",
        )
        for one in registry
    }  # fmt: skip
    return table(("Flow", "Description", "State", "Try it"), rows, empty="No flow is served.", long="Description")


def _trials(flow: str) -> Html:
    places = (("Call", PHONE), ("Chat", CHAT))
    links = [tag("a", name, href=f"{path}?flow={quote(flow)}", aria_label=f"{name} {flow}") for name, path in places]
    return join([links[0], " ", links[1]])


def _documentation(docs: Mapping[str, str]) -> Html:
    if not docs:
        return tag("p", "It is in the folder docs of the source code.", class_="soft")
    links = [tag("li", tag("a", title, href=f"{DOCS}{name}")) for name, title in docs.items()]
    return tag("ul", *links, class_="links")
