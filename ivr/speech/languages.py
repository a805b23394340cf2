"""Language tags in the two forms that services want; flows may write `en` or `en-US`.

Apart from the registry, of which engines must not know.
"""

_HOME = {
    "ar": "EG",
    "bn": "IN",
    "ca": "ES",
    "cs": "CZ",
    "cy": "GB",
    "da": "DK",
    "el": "GR",
    "en": "US",
    "et": "EE",
    "eu": "ES",
    "fa": "IR",
    "ga": "IE",
    "gl": "ES",
    "he": "IL",
    "hi": "IN",
    "ja": "JP",
    "ko": "KR",
    "nb": "NO",
    "no": "NO",
    "pt": "BR",
    "sl": "SI",
    "sq": "AL",
    "sr": "RS",
    "sv": "SE",
    "uk": "UA",
    "vi": "VN",
    "zh": "CN",
}
"The region that is meant where a tag names none, as far as it is not called like the language (`de-DE`)."


def with_region(tag: str) -> str:
    """Return `en-US` for `en`, and a tag that has a region as it is."""
    language, _, rest = tag.partition("-")
    return tag if rest else f"{language}-{_HOME.get(language.lower(), language.upper())}"


def without_region(tag: str) -> str:
    """Return `en` for `en-US`: the code of ISO 639-1."""
    return tag.partition("-")[0].lower()
