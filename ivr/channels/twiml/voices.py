"""Voices by language and gender, and the languages in which speech is understood, in the carriers' words.

The voices are Amazon Polly's of the first generation: all carriers of this family have them, at their lowest price, and
they know all of SSML that we write (those of later generations have no emphasis).
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from ivr.engine.commands import Gender


class SpokenBy(Struct, frozen=True):
    """A voice, and the language that it speaks."""

    voice: str
    language: str


_VOICES: Final[Mapping[str, tuple[str | None, str]]] = {
    "en-US": ("Matthew", "Joanna"),
    "en-GB": ("Brian", "Amy"),
    "en-AU": ("Russell", "Nicole"),
    "en-IN": (None, "Raveena"),
    "de-DE": ("Hans", "Vicki"),
    "fr-FR": ("Mathieu", "Lea"),
    "fr-CA": (None, "Chantal"),
    "es-ES": ("Enrique", "Lucia"),
    "es-MX": (None, "Mia"),
    "es-US": ("Miguel", "Lupe"),
    "it-IT": ("Giorgio", "Carla"),
    "nl-NL": ("Ruben", "Lotte"),
    "pt-PT": ("Cristiano", "Ines"),
    "pt-BR": ("Ricardo", "Vitoria"),
    "pl-PL": ("Jacek", "Ewa"),
    "ru-RU": ("Maxim", "Tatyana"),
    "da-DK": ("Mads", "Naja"),
    "nb-NO": (None, "Liv"),
    "sv-SE": (None, "Astrid"),
    "is-IS": ("Karl", "Dora"),
    "ro-RO": (None, "Carmen"),
    "tr-TR": (None, "Filiz"),
    "cy-GB": (None, "Gwyneth"),
    "hi-IN": (None, "Aditi"),
    "ja-JP": ("Takumi", "Mizuki"),
    "ko-KR": (None, "Seoyeon"),
    "cmn-CN": (None, "Zhiyu"),
    "arb": (None, "Zeina"),
}
"The male and the female voice of a language. Where one is missing, the other speaks: better than another language."

_RECOGNISED: Final = """
    af-ZA am-ET ar-AE ar-BH ar-DZ ar-EG ar-IL ar-IQ ar-JO ar-KW ar-LB ar-MA ar-OM ar-PS ar-QA ar-SA ar-TN az-AZ bg-BG
    bn-BD bn-IN ca-ES cs-CZ da-DK de-DE el-GR en-US en-AU en-CA en-GB en-GH en-IE en-IN en-KE en-NG en-NZ en-PH en-SG
    en-TZ en-ZA es-ES es-AR es-BO es-CL es-CO es-CR es-DO es-EC es-GT es-HN es-MX es-NI es-PA es-PE es-PR es-PY es-SV
    es-US es-UY es-VE et-EE eu-ES fa-IR fi-FI fil-PH fr-FR fr-CA gl-ES gu-IN he-IL hi-IN hr-HR hu-HU hy-AM id-ID
    is-IS it-IT ja-JP jv-ID ka-GE km-KH kn-IN ko-KR lo-LA lt-LT lv-LV mk-MK ml-IN mn-MN mr-IN ms-MY my-MM nb-NO ne-NP
    nl-NL nl-BE pl-PL pt-PT pt-BR ro-RO ru-RU si-LK sk-SK sl-SI sq-AL sr-RS su-ID sv-SE sw-KE sw-TZ ta-IN te-IN th-TH
    tr-TR uk-UA ur-IN ur-PK uz-UZ vi-VN cmn-Hans-CN cmn-Hant-TW yue-Hant-HK zu-ZA
"""
"Tags; of those that begin alike, the first stands for the language as a whole."

_OTHER_NAMES: Final[Mapping[str, str]] = {"zh": "cmn", "no": "nb", "iw": "he", "ar": "arb"}
"First parts of tags that stand for another one."


def _by_name(tags: list[str]) -> Mapping[str, str]:
    """Return the tags by how they are asked for: whole, and by their first part, of which the first tag counts."""
    found = {tag.lower(): tag for tag in tags}
    for tag in tags:
        found.setdefault(tag.split("-")[0].lower(), tag)
    for other, name in _OTHER_NAMES.items():
        if name in found:
            found.setdefault(other, found[name])
    return found


_SPOKEN: Final = _by_name(list(_VOICES))
_UNDERSTOOD: Final = _by_name(_RECOGNISED.split())

SPEAKS: Final = frozenset(name.split("-")[0] for name in _SPOKEN)
UNDERSTANDS: Final = frozenset(name.split("-")[0] for name in _UNDERSTOOD)
"First parts of language tags."


def spoken_by(language: str, gender: Gender) -> SpokenBy | None:
    """Return the voice for a language; None: there is none, and the carrier's own speaks."""
    tag = _found(_SPOKEN, language)
    if tag is None:
        return None
    male, female = _VOICES[tag]
    return SpokenBy(f"Polly.{male if male is not None and gender == 'male' else female}", tag)


def recognised(language: str) -> str | None:
    """Return the language as a recogniser is told of it; None: it knows no such language."""
    return _found(_UNDERSTOOD, language)


def _found(known: Mapping[str, str], language: str) -> str | None:
    tag = language.lower()
    return known.get(tag) or known.get(tag.split("-")[0])
