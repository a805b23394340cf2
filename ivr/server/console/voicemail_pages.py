"""Voicemails: to listen to and to read, and a button that says that one is done.

This is all that the console changes: a mark beside a recording, which can be taken away again.
"""

import logging
import re
from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

from aiohttp import web

from ivr.call_record import CallRecord, Stepped
from ivr.errors import WebhookError
from ivr.server.console.call_details import playable
from ivr.server.console.call_filters import position_of
from ivr.server.console.console_page import ROOT, call_link, document, flow_link, heading, lasted, moment
from ivr.server.console.voicemail_list import KnowsFlows, Voicemail, VoicemailPage, voicemail_page
from ivr.server.html import Html, join, tag
from ivr.server.replies import not_found
from ivr.server.small_forms import SmallForms
from ivr.voicemails import Voicemails

log = logging.getLogger(__name__)

VOICEMAILS: Final = f"{ROOT}/voicemails"
DONE, OPEN = f"{VOICEMAILS}/done", f"{VOICEMAILS}/open"
"Where a voicemail is marked as done, or as not."

_NAME = re.compile(r"([0-9a-f]{32})/(\d{1,3})")

Address: TypeAlias = Callable[[str, int], str]
"Gives the address at which the n-th recording of a call can be heard."
View: TypeAlias = Literal["open", "done"]


class VoicemailPages:
    """Looking through them, and marking them."""

    def __init__(
        self, voicemails: Voicemails, flows: KnowsFlows, *, now: Callable[[], float], development: bool
    ) -> None:
        self._voicemails = voicemails
        self._flows = flows
        self._now = now
        self._development = development
        self._forms = SmallForms()

    async def page(self, request: web.BaseRequest, address: Address) -> Html:
        """Return one page of voicemails."""
        query = request.rel_url.query
        view: View = "done" if query.get("show") == "done" else "open"
        found = await voicemail_page(self._voicemails, self._flows, position_of(query), done=view == "done")
        marked = _NAME.fullmatch(query.get("marked", ""))
        note = _note(view, marked[0]) if marked else None
        leads = [_lead(view, str(found.older))] if found.older is not None else []
        shown = _list(view, found, address)
        return document(
            "Voicemails",
            heading("Voicemails", aside=_views(view)),
            note,
            tag("section", shown, class_="sheet", data_live="voicemails"),
            tag("nav", *leads, class_="leads", aria_label="Pages of voicemails") if leads else None,
            here=VOICEMAILS,
            development=self._development,
            every=10,
        )

    async def named_in(self, request: web.BaseRequest) -> tuple[str, int]:
        """Return which voicemail a form is about: our id of the call, and the recording; raise WebhookError."""
        named = _NAME.fullmatch(await self._forms.field(request, "voicemail"))
        if named is None:
            raise WebhookError(400, "voicemail", "This form names no voicemail.")
        return named[1], int(named[2])

    async def mark(self, path: str, record: CallRecord, trace: Iterable[Stepped], number: int) -> str:
        """Mark a voicemail as the form's address says; return where the browser goes on. Raises WebhookError 404."""
        media = playable(list(trace), await self._flows(record.call.flow), number)
        if media is None:
            raise not_found()
        done = path == DONE
        await self._voicemails.mark(record.id, media, done=done, at=self._now())
        if done:
            log.info("voicemail done", extra={"call": record.id})
        else:
            log.info("voicemail to do again", extra={"call": record.id})
        return f"{VOICEMAILS}?{'' if done else 'show=done&'}marked={record.id}/{number}"


def _views(view: View) -> Html:
    links = [
        tag("a", words, href=path, aria_current="true" if one == view else None)
        for one, words, path in (("open", "To do", VOICEMAILS), ("done", "Done", f"{VOICEMAILS}?show=done"))
    ]
    return tag("nav", *links, class_="choose", aria_label="Voicemails")


def _note(view: View, name: str) -> Html:
    """Return what was just done, with a way back; the keyboard is there already."""
    told, path = ("The voicemail is done.", OPEN) if view == "open" else ("The voicemail is to do again.", DONE)
    return tag(
        "div", tag("p", told, role="status"), _form(path, name, "Undo", focused=True), class_="sheet body marked"
    )


def _list(view: View, found: VoicemailPage, address: Address) -> Html:
    if not found.shown:
        nothing = "Nothing is done yet." if view == "done" else "No voicemail waits."
        more = "None of the newest ones." if found.older is not None else nothing
        return tag("p", more, class_="empty")
    return tag("ol", *(_item(view, one, address) for one in found.shown), class_="voicemails")


def _item(view: View, one: Voicemail, address: Address) -> Html:
    name = f"{one.call}/{one.number}"
    who = one.caller or "withheld"
    about = [tag("strong", who, class_="clamp"), moment(one.at), flow_link(one.flow), call_link(one.call)]
    if one.seconds:
        about.append(tag("span", lasted(max(one.seconds, 1.0)), class_="soft"))
    said = tag("p", one.transcript, class_="said") if one.transcript else tag("p", "No transcript.", class_="soft")
    sound = tag("audio", src=address(one.call, one.number), controls=True, preload="none",
                aria_label=f"Voicemail of {who}")  # fmt: skip
    path, words = (DONE, "Done") if view == "open" else (OPEN, "To do again")
    return tag("li", tag("p", *_spaced(about), class_="about"), said,
               tag("div", sound, _form(path, name, words, who=who), class_="buttons"), data_key=name)  # fmt: skip


def _form(path: str, name: str, words: str, *, who: str = "", focused: bool = False) -> Html:
    button = tag("button", words, class_="button small", aria_label=f"{words}: voicemail of {who}" if who else None,
                 autofocus=focused)  # fmt: skip
    field = tag("input", type_="hidden", name_="voicemail", value=name)
    return tag("form", field, button, method="post", action=path)


def _lead(view: View, older: str) -> Html:
    query = f"before={older}" if view == "open" else f"show=done&before={older}"
    return tag("a", "Older voicemails", href=f"{VOICEMAILS}?{query}", class_="button", rel="next")


def _spaced(parts: Iterable[Html]) -> Iterable[Html]:
    for part in parts:
        yield join([part, " "])
