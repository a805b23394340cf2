"""Markup out of hostile words is still only words."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from ivr.server.html import Html, join, tag


class Seen(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


words = st.text(st.characters(exclude_characters="\r"))


@given(words, words)
def test_whatever_is_said_an_element_has_one_tag_its_attribute_and_the_words(said: str, named: str) -> None:
    seen = Seen(tag("p", said, title=named))
    ((name, ((attribute, _),)),) = seen.tags
    assert (name, attribute) == ("p", "title")
    if said.isprintable() and named.isprintable():
        assert seen.text == said
        assert seen.tags[0][1] == [("title", named)]


def test_markup_stays_markup_and_text_becomes_text() -> None:
    assert join([tag("b", "1 < 2"), " & ", None]) == "<b>1 &lt; 2</b> &amp; "
    assert isinstance(join(["a"]), Html)


def test_attributes_that_are_not_so_are_left_out() -> None:
    assert tag("input", name_="a", required=True, disabled=False, value=None) == '<input name="a" required>'
    assert tag("g", data_state="a\"b'") == '<g data-state="a&quot;b&#x27;"></g>'
    assert tag("rect", x="1") == '<rect x="1"/>'


def test_what_would_turn_round_the_words_beside_it_is_replaced() -> None:
    assert tag("p", "a\u202eb\x00c\ud800d") == "<p>a\ufffdb\ufffdc\ufffdd</p>"
    assert tag("p", "12\u00a0€\u200d\n") == "<p>12\u00a0€\u200d\n</p>"
