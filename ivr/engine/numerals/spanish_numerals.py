"""Numbers in Spanish words."""

from collections.abc import Iterator

_SMALL = (
    *("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
    *("trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho", "diecinueve", "veinte", "veintiuno"),
    *("veintidós", "veintitrés", "veinticuatro", "veinticinco", "veintiséis", "veintisiete", "veintiocho"),
    "veintinueve",
)
_TENS = ("", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa")
_HUNDREDS = (
    *("", "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos", "setecientos"),
    *("ochocientos", "novecientos"),
)
_PLACES = (
    *("", "primero", "segundo", "tercero", "cuarto", "quinto", "sexto", "séptimo", "octavo", "noveno", "décimo"),
    *("undécimo", "duodécimo", "decimotercero", "decimocuarto", "decimoquinto", "decimosexto", "decimoséptimo"),
    *("decimoctavo", "decimonoveno"),
)
_TENTHS = (
    *("", "", "vigésimo", "trigésimo", "cuadragésimo", "quincuagésimo", "sexagésimo", "septuagésimo", "octogésimo"),
    "nonagésimo",
)
_HUNDREDTHS = (
    *("", "centésimo", "ducentésimo", "tricentésimo", "cuadringentésimo", "quingentésimo", "sexcentésimo"),
    *("septingentésimo", "octingentésimo", "noningentésimo"),
)
SCALES = {"mil": 1_000, "millón": 1_000_000, "millones": 1_000_000}


def cardinals(number: int) -> Iterator[str]:
    """Go through the ways to say a number from 0 to 999."""
    hundreds, rest = divmod(number, 100)
    if hundreds > len(_HUNDREDS) - 1:
        return
    if number == 100:
        yield "cien"
    before = f"{_HUNDREDS[hundreds]} " if hundreds else ""
    for last in _below_hundred(rest) if rest or not hundreds else ("",):
        yield f"{before}{last}".rstrip()
        yield from (f"{before}{last}".rstrip().replace("cientos", "cientas"),) if hundreds > 1 else ()
        if hundreds == 5:
            yield f"quinientas {last}".rstrip()


def ordinals(number: int) -> Iterator[str]:
    """Go through the ways to say a place in a row, from 1 to 999."""
    hundreds, rest = divmod(number, 100)
    words = [_HUNDREDTHS[hundreds]]
    if rest < len(_PLACES):
        words.append(_PLACES[rest])
    else:
        words += [_TENTHS[rest // 10], _PLACES[rest % 10]]
    whole = " ".join(word for word in words if word)
    yield whole
    yield " ".join(f"{word[:-1]}a" for word in whole.split())
    yield from (whole[:-1],) if whole.endswith(("primero", "tercero")) else ()


def _below_hundred(number: int) -> Iterator[str]:
    tens, ones = divmod(number, 10)
    words = _SMALL[number] if number < len(_SMALL) else f"{_TENS[tens]} y {_SMALL[ones]}" if ones else _TENS[tens]
    yield words
    if words.endswith("uno"):
        yield f"{words[:-3]}un"
        yield f"{words[:-1]}a"
