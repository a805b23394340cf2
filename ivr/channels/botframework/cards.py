"""Cards in the platform's spelling (activity protocol, A7)."""

import re
from typing import Final

from ivr.channels.botframework import wire
from ivr.channels.in_writing.words import writable
from ivr.engine.card_making import cleaned
from ivr.engine.cards import Button, CardFace, CardKind, Picture, ReceiptItem

TEXTED: Final[frozenset[CardKind]] = frozenset({"hero", "thumbnail", "signIn"})
"Cards that show their own text; that of others is the message's."
_BY_ENDING: Final = {
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
}
_OTHERWISE: Final = {"image": "image/png", "audio": "audio/mpeg", "video": "video/mp4"}
"Where the name does not tell: what a client of that kind plays, since it looks at the file itself."
_MARKUP: Final = re.compile(r"<(?=[A-Za-z/!?])|\](?=[(\[])")
_ANY_FILE: Final = "application/octet-stream"


def plain_in_card(text: str) -> str:
    """Return a text as it stands in a card, where no client can be told that it is plain: no tag or link begins in it.

    Some clients read it as markdown, some as HTML. A sign without width is shown by both as nothing.
    """
    return _MARKUP.sub("\\g<0>\u2060", writable(text))


def attachment(face: CardFace) -> wire.Attachment | None:
    """Return a card as what is attached to a message; None: it is a file, and its address is none that can be had."""
    face = cleaned(face, writable, plain_in_card)
    match face.kind:
        case "hero" | "thumbnail":
            content_type = wire.HERO if face.kind == "hero" else wire.THUMBNAIL
            return wire.Attachment(content_type=content_type, content=_hero(face))
        case "receipt":
            return wire.Attachment(content_type=wire.RECEIPT, content=_receipt(face))
        case "signIn":
            return wire.Attachment(content_type=wire.SIGN_IN, content=_sign_in(face))
    if face.url is None:
        return None
    return wire.Attachment(content_type=_media_type(face), content_url=face.url, name=face.name)


def _hero(face: CardFace) -> wire.HeroCard:
    return wire.HeroCard(
        title=face.title,
        subtitle=face.subtitle,
        text=face.text,
        images=tuple(map(_image, face.images)),
        buttons=tuple(map(button, face.buttons)),
        tap=_tap(face.tap),
    )


def _receipt(face: CardFace) -> wire.ReceiptCard:
    return wire.ReceiptCard(
        title=face.title,
        facts=tuple(wire.Fact(key=fact.key, value=fact.value) for fact in face.facts),
        items=tuple(map(_item, face.items)),
        total=face.total,
        tax=face.tax,
        vat=face.vat,
        buttons=tuple(map(button, face.buttons)),
        tap=_tap(face.tap),
    )


def _item(item: ReceiptItem) -> wire.ReceiptItem:
    return wire.ReceiptItem(
        title=item.title,
        subtitle=item.subtitle,
        text=item.text,
        image=_image(item.image) if item.image else None,
        price=item.price,
        quantity=item.quantity,
        tap=_tap(item.tap),
    )


def _sign_in(face: CardFace) -> wire.SignInCard:
    opened = wire.Button(type="signin", title=face.title or face.url, value=face.url) if face.url else None
    return wire.SignInCard(text=face.text, buttons=(opened,) if opened else ())


def button(pressed: Button) -> wire.Button:
    """Return a button."""
    return wire.Button(
        type=pressed.type,
        title=pressed.title,
        value=pressed.value,
        text=pressed.text,
        display_text=pressed.display_text,
        image=pressed.image,
    )


def _tap(tap: Button | None) -> wire.Button | None:
    return button(tap) if tap else None


def _image(picture: Picture) -> wire.Image:
    return wire.Image(url=picture.url, alt=picture.alt, tap=_tap(picture.tap))


def _media_type(face: CardFace) -> str:
    if face.content_type:
        return face.content_type
    path = (face.name or face.url or "").partition("?")[0].partition("#")[0]
    return _BY_ENDING.get(path.rpartition(".")[2].lower()) or _OTHERWISE.get(face.kind, _ANY_FILE)
