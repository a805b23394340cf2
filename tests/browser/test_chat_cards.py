"""Cards as the page draws them: those that are published, those of a flow, and those that somebody means harm by."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr.engine.text_markup import as_text
from tests.chat.chat_activities import published
from tests.console.visiting import Visit, visiting
from tests.fakes.chromium import Page

FLOW = """\
flow: order
initial: ask
on: {{exhausted: bye, error: bye}}
states:
  ask:
    menu:
      prompt:
        - What would you like to eat?
        - carousel:
            - card: hero
              title: Sushi
              subtitle: Six pieces
              text: For sushi, press 1.
              images: [{{url: "{picture}", alt: Six pieces of sushi}}]
              buttons:
                - {{type: postBack, title: Order sushi, value: "1"}}
                - {{type: openUrl, title: Read more, value: https://www.example.com/}}
            - {{card: hero, title: Tempura, text: For tempura press 2., buttons: [{{title: Order one, value: "2"}}]}}
            - {{card: hero, title: Tofu, text: For tofu press 3., buttons: [{{title: Order tofu, value: "3"}}]}}
      choices: {{sushi: {{dtmf: "1"}}, tempura: {{dtmf: "2"}}, tofu: {{dtmf: "3"}}}}
    on: {{sushi: paid, tempura: paid, tofu: paid}}
  paid:
    say:
      card: receipt
      title: Your order
      text: That is 16 euros and 25 cents.
      facts: [{{key: Table, value: "7"}}]
      items: [{{title: Sushi, subtitle: Six pieces, price: 16.25 €, quantity: "2"}}]
      total: 16.25 €
      buttons: [{{type: call, title: Call us, value: "tel:+4312345"}}]
    next: bye
  bye: {{say: Goodbye., final: true}}
"""
DRAWN = """Promise.all([import('/chat/static/cards.js'), import('/chat/static/markup.js')]).then(([cards, markup]) => {{
    const activity = {0};
    const answers = [];
    const drawn = document.createElement('div');
    if (activity.text) drawn.append(markup.written(activity.text, activity.textFormat));
    drawn.append(...cards.attachments(activity, (button) => answers.push(button.value)));
    drawn.append(...cards.suggested(activity, (button) => answers.push(button.value)));
    for (const button of drawn.querySelectorAll('button')) button.click();
    return {{
        text: drawn.textContent,
        tags: [...drawn.querySelectorAll('*')].map((one) => one.localName),
        links: [...drawn.querySelectorAll('a')].map((one) => [one.getAttribute('href'), one.textContent, one.rel]),
        pictures: [...drawn.querySelectorAll('img')].map((one) => [one.getAttribute('src'), one.alt]),
        attributes: [...drawn.querySelectorAll('*')].flatMap((one) => one.getAttributeNames()),
        answers,
    }};
}})"""


async def drawn(page: Page, activity: Mapping[str, Any]) -> Mapping[str, Any]:
    """Draw an activity beside the page, so that no picture of it is fetched, and press all that can be pressed."""
    return dict(await page.run(DRAWN.format(json.dumps(activity))))


@pytest.fixture
async def chat(visit: Visit, page: Page) -> Page:
    await page.go(f"{visit.url}/chat?flow=desk")
    await page.until("document.querySelector('#talk .flow')")
    return page


async def test_every_published_card_is_drawn(chat: Page) -> None:
    seen = {
        name: await drawn(chat, published(name)["request"]["body"])
        for name in ("25", "26", "27", "28", "29", "30", "31", "32")
    }
    assert seen["25"]["answers"]
    assert seen["28"]["tags"].count("dl") == 1
    assert "2 × Tempura" in seen["28"]["text"].replace("Tenpura", "Tempura")
    assert seen["28"]["links"] == [["https://blog.example.com/", "Go to my site", "noopener noreferrer"]]
    assert ["https://mydeploy.azurewebsites.net/sushi.png", ""] in seen["28"]["pictures"]
    assert seen["29"]["links"][0][0].startswith(("tel:", "skype:"))
    assert seen["30"]["answers"] == [
        f"{dish},{count}" for dish in ("sushi", "tenpura", "tofu") for count in ("1", "2", "3+")
    ]
    assert seen["32"]["links"][0][0].startswith("https://")
    assert seen["26"]["pictures"]
    assert seen["27"]["pictures"]


SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
"What a caller may have written, which the server puts into a text with a backslash before each that means something."


@pytest.mark.parametrize(
    ("text", "format_", "text_seen", "tags"),
    [
        ("**bold** and *italic*, _too_", None, "bold and italic, too", ["strong", "em", "em"]),
        ("[a page](https://www.example.com/x)", None, "a page", ["a"]),
        ("[no](javascript:alert(1)) [no](http://www.example.com) [no](data:text/html,x)", None, None, []),
        ("2 * 3 * 4 and snake_case_name and **open", None, None, []),
        ("**bold *both* bold** \\*not\\*", None, "bold both bold *not*", ["strong", "em"]),
        (as_text(SIGNS, "markdown"), None, SIGNS, []),
        (as_text(SIGNS, "xml"), "xml", SIGNS, []),
        (as_text("[x](https://x.example) <b>*5.00*</b>", "markdown"), None, "[x](https://x.example) <b>*5.00*</b>", []),
        ("<b>not bold</b>", None, None, []),
        ("**plain**", "plain", None, []),
        ("<b>bold</b> &amp; <a href=\"https://www.example.com/\">page</a> <script>x</script>", "xml",
         "bold & page <script>x</script>", ["b", "a"]),
        ("<a href=\"javascript:alert(1)\">page</a>", "xml", "page", ["span"]),
    ],
)  # fmt: skip
async def test_texts_are_drawn_by_their_format(
    chat: Page, text: str, format_: str | None, text_seen: str | None, tags: list[str]
) -> None:
    seen = await drawn(chat, {"text": text, **({"textFormat": format_} if format_ else {})})
    assert (seen["text"], seen["tags"]) == (text_seen or text, tags)


HARM = (
    "<img src=x onerror=window.harmed=1>",
    '"><script>window.harmed=1</script>',
    "javascript:window.harmed=1",
    " jav\tascript:window.harmed=1",
    "data:text/html,<script>parent.harmed=1</script>",
    "[x](javascript:window.harmed=1)",
    'https://www.example.com/" onmouseover="window.harmed=1',
    "vbscript:x",
    "blob:x",
    "//evil.example/x",
    "file:///etc/passwd",
)


def harmful(text: str) -> Mapping[str, Any]:
    """Return an activity with a text in each field that there is."""
    types = ("openUrl", "signin", "call", "imBack", "postBack", "messageBack", "playAudio", "downloadFile", text)
    buttons = [{"type": kind, "title": text, "value": text, "text": text, "displayText": text} for kind in types]
    picture = {"url": text, "alt": text, "tap": buttons[0]}
    card = {"title": text, "subtitle": text, "text": text, "images": [picture], "buttons": buttons, "tap": buttons[1],
            "media": [{"url": text}], "facts": [{"key": text, "value": text}], "fallbackText": text,
            "items": [{"title": text, "subtitle": text, "text": text, "price": text, "quantity": text, "image": picture,
                       "tap": buttons[0]}],
            "total": text, "tax": text, "vat": text}  # fmt: skip
    kinds = ("hero", "thumbnail", "receipt", "signin", "oauth", "audio", "video", "animation", "adaptive", text)
    cards = [{"contentType": f"application/vnd.microsoft.card.{kind}", "content": card} for kind in kinds]
    files = [
        {"contentType": kind, "contentUrl": text, "name": text}
        for kind in ("image/png", "audio/wav", "text/html", text)
    ]
    return {
        "text": text,
        "attachmentLayout": text,
        "attachments": [*cards, *files],
        "suggestedActions": {"actions": buttons},
    }


@pytest.mark.parametrize("format_", ["markdown", "plain", "xml", "<b>"])
async def test_no_field_of_an_activity_or_a_card_becomes_markup_a_script_or_another_link(
    chat: Page, format_: str
) -> None:
    for text in HARM:
        seen = await drawn(chat, {**harmful(text), "textFormat": format_})
        assert not {"script", "iframe", "object", "embed", "form", "svg", "style"} & set(seen["tags"])
        assert not [name for name in seen["attributes"] if name.startswith("on") or name in {"style", "srcdoc"}]
        assert [href for href, *_ in seen["links"] if not href.startswith("https://www.example.com/")] == []
        assert [src for src, _ in seen["pictures"] if not src.startswith("https://www.example.com/")] == []
    assert await chat.run("window.harmed === undefined")


@pytest.mark.parametrize("odd", [None, 0, "", [], {}, [[]], [None], {"a": []}, True])
async def test_what_is_of_another_kind_than_it_should_be_is_left_out(chat: Page, odd: Any) -> None:
    card = dict.fromkeys(("title", "text", "images", "buttons", "tap", "facts", "items", "media", "total"), odd)
    one = {"contentType": "application/vnd.microsoft.card.receipt", "content": card}
    other = {"contentType": "application/vnd.microsoft.card.hero", "content": odd}
    for attachments in (odd, [one], [other], [odd], [{"contentType": odd, "contentUrl": odd}]):
        await drawn(chat, {"attachments": attachments, "suggestedActions": odd})
    assert chat.complaints == []


async def test_the_cards_of_a_flow_are_seen_pressed_and_scrolled_by_key(tmp_path: Path, page: Page) -> None:
    async with visiting(
        tmp_path, more={"order.yaml": FLOW.format(picture="https://www.example.com/none.png")}
    ) as visit:
        await page.send("Network.enable")
        await page.send("Network.setBlockedURLs", urls=["*example.com*"])
        await page.go(f"{visit.url}/chat?flow=order")
        await page.until("document.querySelectorAll('#talk .carousel .card').length === 3")
        assert await page.run("document.querySelector('.carousel').tabIndex") == 0
        await page.until("document.querySelector('#talk .card > p.soft')?.innerText === 'Six pieces of sushi'")
        assert await page.run("document.querySelectorAll('#talk img').length") == 0  # it cannot be had: its words are
        assert await page.texts("#talk .answer") == ["Order sushi", "Order one", "Order tofu"]
        await page.screen(320, 568)
        assert await page.run("document.documentElement.scrollWidth <= innerWidth")
        for _ in range(2):  # what is said grows in its own paper, and the page stays as high as the screen
            await page.run("document.querySelector('#words').focus()")
            await page.write("something else")
            await page.press("Enter")
        await page.until("document.querySelectorAll('#talk .carousel').length === 3")
        assert await page.run("document.documentElement.scrollHeight <= innerHeight")
        await page.click("#talk .answer:not(:disabled)")
        await page.until("document.querySelector('#talk .receipt')")
        assert await page.run("[...document.querySelectorAll('#talk .answer')].every((one) => one.disabled)")
        assert (
            await page.run("document.querySelectorAll('#talk .caller').length") == 2
        )  # a press posts, and shows nothing
        receipt = (await page.text("#talk .receipt")).split("\n")
        assert [one for one in receipt if one.strip()] == [
            "Your order", "Table", "7", "2 × Sushi", "Six pieces", "16.25 €", "Total", "16.25 €", "Call us"
        ]  # fmt: skip
        assert await page.run("document.querySelector('#talk .receipt a').getAttribute('href')") == "tel:+4312345"
        await page.go("about:blank")  # before the server goes, of which the page would complain
        page.complaints[:] = [one for one in page.complaints if "example.com" not in one]
