"""What a text tells a caller to press, by language: "drücken Sie die 1 oder 2", "para ventas, pulse 1".

English has a reader of its own (`key_instructions`). For the others a key is a figure or its name that stands where one
is named: after a verb and what may follow it, after another key and "or", or at the end of what begins with "for". What
follows must not make a number of it. In a language that is not here nothing is read, and nothing is missed.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from ivr.engine.language_choice import first_part
from ivr.flowfile.checks import key_instructions
from ivr.flowfile.checks.key_instructions import MARKS, Named, Token, tokens


class Instructions(Struct, frozen=True):
    """The words by which a language tells somebody to press keys; all in small letters."""

    verbs: frozenset[str]
    before_key: frozenset[str]
    "Between the verb and the key."
    keys: Mapping[str, str]
    joins: frozenset[str]
    ranges: frozenset[str]
    uses: frozenset[str]
    "What a key is for: `for support, 2`."
    goes_on: frozenset[str]
    "Can follow a key; any other word makes a number of it."
    negations: frozenset[str]
    data: frozenset[str]
    "What makes data of the figure after it: `line 4`."


def _keys(figures: str, stars: str, pounds: str) -> Mapping[str, str]:
    """Return keys by their names, those of the figures from nought on."""
    return {
        **{str(number): str(number) for number in range(10)},
        **{word: str(number) for number, word in enumerate(figures.split())},
        **dict.fromkeys(["*", *stars.split()], "*"),
        **dict.fromkeys(["#", *pounds.split()], "#"),
    }


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SIGNS = _words(", . ! ? ; : / & - –")
_LANGUAGES: Mapping[str, Instructions] = {
    "de": Instructions(
        verbs=_words("drücken drücke drückt drück wählen wähle tippen tippe betätigen"),
        before_key=_words("sie bitte dann jetzt einfach die den auf taste tasten ziffer entweder mit der"),
        keys=_keys(
            "null eins zwei drei vier fünf sechs sieben acht neun", "stern sterntaste sternchen", "raute rautetaste"
        ),
        joins=_words(", / und oder & beziehungsweise bzw"),
        ranges=_words("bis - –"),
        uses=_words("für um zum zur wenn"),
        goes_on=_words(
            "für um zum zur wenn falls oder und bis bitte jetzt dann auf erneut im in innerhalb nach während taste an"
        ),
        negations=_words("nicht nie niemals"),
        data=_words("linie leitung zimmer durchwahl nummer bus gate flug halle tor größe"),
    ),
    "fr": Instructions(
        verbs=_words("appuyez appuyer tapez taper composez composer faites pressez choisissez sélectionnez"),
        before_key=_words("sur le la les touche touches chiffre simplement maintenant puis alors soit"),
        keys=_keys("zéro un deux trois quatre cinq six sept huit neuf", "étoile", "dièse"),
        joins=_words(", / et ou & puis"),
        ranges=_words("à - –"),
        uses=_words("pour si"),
        goes_on=_words("pour si ou et à afin puis maintenant dès de du dans après pendant"),
        negations=_words("ne pas jamais"),
        data=_words("ligne poste chambre numéro bus porte vol taille"),
    ),
    "es": Instructions(
        verbs=_words("pulse pulsa pulsar marque marcar presione presiona presionar oprima oprimir teclee digite elija"),
        before_key=_words("el la las los tecla teclas número opción en simplemente ahora por favor"),
        keys=_keys(
            "cero uno dos tres cuatro cinco seis siete ocho nueve", "asterisco estrella", "almohadilla numeral gato"
        ),
        joins=_words(", / y o u e &"),
        ranges=_words("a al - –"),
        uses=_words("para si"),
        goes_on=_words("para si o y u e a al ahora por después en durante cuando de"),
        negations=_words("no nunca"),
        data=_words("línea habitación extensión número autobús puerta vuelo talla"),
    ),
}
_ENDS = frozenset(".!?")
_NEAR = 2
"Words before and after a verb in which `not` belongs to it."
_FAR = 6
"Words from the verb to the first key, as far as a finding shows both."


def can_read(language: str) -> bool:
    """Return whether instructions in a language, a BCP 47 tag, are read."""
    return first_part(language) in {"en", *_LANGUAGES}


def keys_named_in(text: str, language: str) -> Iterator[Named]:
    """Go through the keys that a text in a language tells a caller to press, in their order."""
    if first_part(language) == "en":
        yield from key_instructions.keys_named(text)
    elif words := _LANGUAGES.get(first_part(language)):
        sentence: list[Token] = []
        for token in tokens(text):
            if token.text not in MARKS:
                sentence.append(token)
            if token.text in _ENDS:
                yield from _Sentence(sentence, words).named()
                sentence = []
        yield from _Sentence(sentence, words).named()


class _Sentence:
    """Reads the keys of one sentence."""

    def __init__(self, found: Sequence[Token], words: Instructions) -> None:
        self._tokens = found
        self._words = words

    def _word(self, place: int) -> str:
        return self._tokens[place].word if 0 <= place < len(self._tokens) else "."

    def named(self) -> Iterator[Named]:
        """Go through the keys, if there is a verb that asks for them."""
        verb = next((place for place in range(len(self._tokens)) if self._asks(place)), None)
        last: int | None = None
        for place in range(len(self._tokens) if verb is not None else 0):
            if not self._is_key(place, verb or 0, last):
                continue
            if last is not None and self._word(place - 1) in self._words.ranges and last == place - 2:
                yield from self._between(last, place)
            begins = verb if verb is not None and last is None and 0 < place - verb <= _FAR else place
            yield self._key(place, self._words.keys[self._word(place)], begins)
            last = place

    def _asks(self, place: int) -> bool:
        near = (self._word(place + offset) for offset in range(-_NEAR, _NEAR + 1))
        return self._word(place) in self._words.verbs and not self._words.negations.intersection(near)

    def _is_key(self, place: int, verb: int, last: int | None) -> bool:
        words, before, after = self._words, self._word(place - 1), self._word(place + 1)
        if self._word(place) not in words.keys:
            return False
        if place < verb:  # die 0 drücken
            return after in words.verbs
        if after not in _SIGNS | words.goes_on | words.verbs:
            return False
        if before in words.verbs | words.before_key:
            return True
        if last is None:
            return False
        if before in words.joins | words.ranges and last in {place - 2, place - 3}:
            return True
        if before in words.joins and after in words.uses:  # 1 for sales, 2 for support
            return True
        is_at_end = after in _SIGNS | words.joins and before not in words.data
        return is_at_end and self._is_for(0, verb) and self._is_for(last + 1, place - 1)

    def _is_for(self, start: int, end: int) -> bool:
        """Return whether something is told for which there is a key."""
        return any(self._word(place) in self._words.uses for place in range(start, end))

    def _between(self, first: int, last: int) -> Iterator[Named]:
        """Go through the keys between two, as far as they have an order."""
        low, high = (self._words.keys[self._word(place)] for place in (first, last))
        if low.isdigit() and high.isdigit():
            for key in range(int(low) + 1, int(high)):
                yield self._key(last, str(key), first)

    def _key(self, place: int, key: str, begins: int) -> Named:
        return Named(key, self._tokens[begins].start, self._tokens[place].end)
