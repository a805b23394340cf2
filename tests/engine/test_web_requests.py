"""`http` (LANGUAGE C4): what a web service is asked, and how its answer is judged."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from ivr.engine.actions.base import Needs
from ivr.engine.actions.http import Http
from ivr.engine.commands import Request
from ivr.engine.events import ServiceAnswered, Transcribed
from ivr.engine.expressions.types import Type, optional
from ivr.engine.masking import public
from ivr.engine.secret_values import Secrets
from ivr.engine.values import MaskedValue, Recording
from ivr.engine.web_orders import MARK, PAUSES, Misshapen, only_named, shape_text, shaped
from ivr.errors import ExpressionFailed, MaskedRead
from ivr.flowfile.fields import read_type
from tests.caller import Caller
from tests.flows import flow_of

FLOW = """
flow: asks
initial: ask
on: {exhausted: bye, error: sorry}
variables:
  day: {type: date, default: 2026-12-24}
  price: {type: decimal, default: 12.50}
  note: {type: text, default: none}
  large: "LARGE"
  pin: {type: text, default: "0815", sensitive: true}
states:
  ask: {digits: {prompt: Key it., into: order}, next: look}
  look:
    http:
      URL
      PARTS
    next: tell
    on: {error.http.status.404: unknown, error.http: failed, error.http.body: odd}
  tell: {say: "Found.", next: bye}
  unknown: {say: "Unknown.", next: bye}
  odd: {say: "Odd.", next: bye}
  failed: {say: "Failed.", next: bye}
  sorry: {say: Sorry., final: true}
  bye: {say: Goodbye., final: true}
"""
URL = "url: https://api.example.com/orders"


def asking(parts: str, url: str = URL, keys: str = "4711") -> Caller:
    """Return a caller for whom the service is asked."""
    if "returns" not in parts:
        parts += "\nreturns: {a: integer}"
    parts = parts.replace("\n", "\n      ")
    return Caller(flow_of(FLOW.replace("LARGE", "1" * 9_000).replace("URL", url).replace("PARTS", parts))).presses(keys)


def request_of(caller: Caller) -> Request:
    [request] = [command for command in caller.commands if isinstance(command, Request)]
    return request


def asked(parts: str, **more: str) -> Mapping[str, Any]:
    return request_of(asking(parts, **more)).arguments


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_a_get_is_asked_three_times_at_most_and_a_post_once() -> None:
    assert asked("timeout: 2s") == {
        "method": "GET",
        "url": "https://api.example.com/orders",
        "timeout": 2.0,
        "retries": 2,
        "expect": ("2xx",),
        "returns": '{"a":"integer"}',
    }
    assert asked("method: POST")["retries"] == asked("method: PATCH")["retries"] == 0
    assert [asked(f"method: {method}")["retries"] for method in ("HEAD", "PUT", "DELETE")] == [2, 2, 2]
    assert asked("{method: POST, retries: 4}".strip("{}").replace(", ", "\n"))["retries"] == 4


def test_the_order_allows_for_all_tries_and_the_pauses_between_them() -> None:
    request = request_of(asking("timeout: 2s\nretries: 3"))
    assert 4 * 2 + sum(PAUSES[:3]) < request.timeout < 4 * 2 + sum(PAUSES[:3]) + 1


def test_a_query_is_text_and_none_leaves_a_field_out() -> None:
    query = asked(
        'query: {number: "{{ order }}", day: "{{ day }}", price: "{{ price }}", note: "{{ note }}", '
        'all: "{{ 1 == 1 }}", text: "No {{ note or 7 }}, {{ day }}"}'
    )["query"]
    assert query == {"number": "4711", "day": "2026-12-24", "price": "12.50", "all": "true", "text": "No 7, 2026-12-24"}


def test_a_form_is_as_a_query() -> None:
    parts = 'method: POST\nform: {number: "{{ order }}", note: "{{ note }}"}'
    assert asked(parts)["form"] == {"number": "4711"}


def test_json_keeps_types() -> None:
    parts = (
        'method: POST\njson: {day: "{{ day }}", price: "{{ price }}", note: "{{ note }}", count: 3, share: 0.50, '
        'text: 007, word: "3", yes: true, nothing: none, list: [1, "{{ order }}"], said: "No {{ order }}", '
        'at: "{{ now }}", inside: {one: "{{ visits.ask }}"}}'
    )
    body = json.decode(str(asked(parts)["json"]).replace("0.50", "0.5"))
    assert body.pop("at").startswith("2026-11-20T10:00:02")
    assert body == {
        "day": "2026-12-24",
        "price": 12.5,
        "note": None,
        "count": 3,
        "share": 0.5,
        "text": "007",
        "word": "3",
        "yes": True,
        "nothing": None,
        "list": [1, "4711"],
        "said": "No 4711",
        "inside": {"one": 1},
    }
    assert '"price":12.50' in str(asked(parts)["json"])


def test_a_whole_body_can_be_sent_on() -> None:
    flow = flow_of("""
flow: on
initial: one
on: {error: bye}
states:
  one:
    http: {url: "https://a.example", returns: {"items": [text], of: {day: date, "note?": text}}, into: found}
    next: two
  two: {http: {url: "https://a.example", method: PUT, json: "{{ found }}"}, next: bye}
  bye: {hangup: {}}
""")
    body = {"items": ["a", 'b"'], "of": {"day": "2026-12-24"}}
    caller = Caller(flow).responded(200, body)
    assert json.decode(str(request_of(caller).arguments["json"])) == {**body, "of": {"day": "2026-12-24", "note": None}}


def test_a_value_in_an_address_stays_between_its_slashes() -> None:
    url = 'url: "https://api.example.com/orders/{{ order }}/lines"'
    assert asked("timeout: 1s", url=url)["url"] == "https://api.example.com/orders/4711/lines"
    assert asked("timeout: 1s", url=url, keys="1#/")["url"] == "https://api.example.com/orders/1%23%2F/lines"


@pytest.mark.parametrize(
    "said", [".", "..", "../..", "a\\..\\b", "x/./y", "...", "a?b=c", "#x", "a b", "ä", "%2e%2e", "//evil.example"]
)
def test_no_text_makes_another_address(said: str) -> None:
    caller = asking("timeout: 1s", url='url: "https://api.example.com/o/{{ order }}"', keys=said)
    if {".", ".."} & {*re.split(r"[/\\]", said)}:
        assert "Sorry" in caller.heard
    else:
        url = str(request_of(caller).arguments["url"])
        assert url.startswith("https://api.example.com/o/")
        assert not {*"?#&= "} & {*url}
        assert url.count("/") == 4


def test_a_value_cannot_begin_another_header() -> None:
    headers = asked('headers: {X-Order: "{{ order }}", X-Note: "{{ note }}"}', keys="1\r\nHost: evil")["headers"]
    assert headers == {"X-Order": "1 Host: evil"}


def test_a_request_has_a_bound() -> None:
    assert asking('method: POST\njson: ["{{ large }}"]').kinds == ["Request"]
    many = ", ".join(['"{{ large }}"'] * 12)
    assert asking(f"method: POST\njson: [{many}]").heard == "Sorry."


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_a_secret_is_only_named() -> None:
    arguments = asked(
        'method: POST\nheaders: {Authorization: "Bearer {{ secrets.shop }}", X-Key: "{{ secrets.key }}"}\n'
        'query: {key: "{{ secrets.key }}"}\njson: {key: "{{ secrets.key }}", both: "a {{ secrets.key }}"}'
    )
    assert arguments["headers"] == {"Authorization": f"Bearer {MARK}shop{MARK}", "X-Key": f"{MARK}key{MARK}"}
    assert arguments["query"] == {"key": f"{MARK}key{MARK}"}
    assert arguments["json"] == f'{{"key":"{MARK}key{MARK}","both":"a {MARK}key{MARK}"}}'


@given(st.text(alphabet='\0"\\{}a key', min_size=1, max_size=12))
def test_no_text_of_a_caller_names_a_secret(said: str) -> None:
    parts = 'method: POST\nheaders: {X-A: "{{ order }}"}\nquery: {a: "b{{ order }}"}'
    parts += '\njson: {a: "{{ order }}", b: "{{ order }}c"}'
    arguments = asked(parts, keys=said)
    assert MARK not in str(arguments["headers"]["X-A"]) + str(arguments["query"]["a"]) + str(arguments["json"])
    assert json.decode(str(arguments["json"])) == {"a": said, "b": f"{said}c"}


def guarded(secrets: Secrets | None) -> Caller:
    flow = flow_of("""
flow: guarded
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask: {digits: {prompt: Key it., into: word}, next: [{guard: word == secrets.word, target: right}, bye]}
  right: {say: Right., next: bye}
  bye: {say: Goodbye., final: true}
""")
    return Caller(replace(flow, secrets=secrets))


def test_a_guard_reads_the_value_of_a_secret_and_says_only_how_it_was_judged() -> None:
    right = guarded(Secrets({"word": "4711"})).presses("4711")
    assert right.heard == "Right. Goodbye."
    assert [judged.held for judged in right.last.judged] == [True]
    assert guarded(Secrets({"word": "4711"})).presses("4712").heard == "Goodbye."


@pytest.mark.parametrize("body", [{}, {"word": None}, {"word": "4711"}])
def test_a_secret_that_the_settings_lack_is_equal_to_nothing(body: Mapping[str, object]) -> None:
    flow = flow_of("""
flow: guarded
initial: look
on: {error: sorry}
states:
  look:
    http: {url: "https://api.example.com/words", returns: {word?: text}}
    next: [{guard: body.word == secrets.word, target: right}, bye]
  right: {say: Right., next: bye}
  sorry: {say: Sorry., final: true}
  bye: {say: Goodbye., final: true}
""")
    caller = Caller(replace(flow, secrets=Secrets({"key": "hush"}))).responded(200, body)
    assert caller.heard == "Sorry."
    assert [failure.event for failure in caller.last.failures] == ["error.expression"]


def test_where_secrets_are_not_known_a_guard_is_judged_as_it_was() -> None:
    with pytest.raises(MaskedRead):
        guarded(None).presses("4711")


def test_secrets_are_not_written_out() -> None:
    assert repr(Secrets({"b": "hush", "a": "hush"})) == "Secrets(a, b)"
    assert dict(Secrets({"a": "hush"})) == {"a": "hush"}
    assert len(Secrets({"a": "hush"})) == 1


# --- what is private -------------------------------------------------------------------------------------------------


def test_a_body_with_a_private_value_is_private_as_a_whole() -> None:
    for part in ('json: {pin: "{{ pin }}", order: "{{ order }}"}', 'form: {pin: "{{ pin }}"}'):
        request = request_of(asking(f"method: POST\n{part}"))
        assert "0815" not in str(request.arguments)
        assert "0815" in str(request.private)


def test_a_replay_does_not_know_a_private_value_and_asks_nobody() -> None:
    plain = asking("timeout: 1s")
    assert request_of(plain).private == {}
    masked = Caller(asking('method: POST\njson: ["{{ pin }}"]').flow)
    masked.call = replace(masked.call, memory=replace(masked.call.memory, private={"pin": MaskedValue()}))
    assert request_of(masked.presses("1")).private == {}


PRIVATE = """
flow: private
initial: look
on: {error: bye}
variables: {balance: {type: decimal, default: none, sensitive: true}}
states:
  look:
    http: {url: "https://api.example.com/", returns: {cents: integer}, into: balance}
    next: bye
    on: {error.http.body: odd}
  odd: {say: Odd., next: bye}
  bye: {hangup: {}}
"""


def test_of_a_private_answer_a_trace_keeps_how_it_was_judged() -> None:
    private = PRIVATE.replace("{cents: integer}", "decimal")
    assert request_of(Caller(flow_of(private))).sensitive
    answered = Caller(flow_of(private)).responded(200, 12.5)
    assert str(answered.last.traced) == "HttpAnswered(job='1.1', status=200, body=None, readable=True, masked=True)"
    odd = Caller(flow_of(private)).responded(200, "many")
    assert odd.heard == "Odd."
    assert odd.last.traced is not None
    again = Caller(flow_of(private)).apply(odd.last.traced)
    assert again.heard == "Odd."
    assert answered.last.traced is not None
    assert Caller(flow_of(private)).apply(answered.last.traced).kinds == ["Reject"]


def test_what_a_trace_holds_of_a_request_is_without_its_private_part() -> None:
    request = request_of(asking('method: POST\njson: ["{{ pin }}"]'))
    assert public(request) == replace(request, private={})
    plain = request_of(asking("timeout: 1s"))
    assert public(plain) is plain


def test_a_value_that_cannot_be_sent_has_no_value() -> None:
    action = asking('query: {a: "{{ order }}"}').flow.states["look"].action
    assert isinstance(action, Http)
    assert action.keeps is None
    with pytest.raises(ExpressionFailed):
        action.start({"order": {"a": 1}})  # type: ignore[arg-type]
    body = asking('method: POST\njson: ["{{ order }}", "x{{ order }}"]').flow.states["look"].action
    with pytest.raises(ExpressionFailed):
        body.start({"order": Recording(1.0, "a.wma")})  # type: ignore[arg-type]
    with pytest.raises(MaskedRead):
        body.start({"order": MaskedValue()})  # type: ignore[arg-type]
    sent = body.start({"order": None})  # type: ignore[arg-type]
    assert isinstance(sent, Needs)
    assert sent.arguments["json"] == '[null,"x"]'


# --- the answer ------------------------------------------------------------------------------------------------------


def test_the_answer_is_kept_and_read() -> None:
    flow = flow_of("""
flow: found
initial: look
on: {error: bye}
states:
  look:
    http: {url: "https://a.example", returns: {total: decimal, "due?": date}, into: found}
    next: {say: "Status {{ status }}, {{ body.total | number }}.", target: tell}
  tell: {say: "{{ found.total | number }} due {{ (found.due | date) if found.due else 'never' }}.", next: bye}
  bye: {hangup: {}}
""")
    body = {"total": 12.5, "due": "2026-12-24", "more": "not wanted"}
    assert Caller(flow).responded(200, body).heard == "Status 200, 12.5. 12.5 due Thursday, December 24."
    assert Caller(flow).responded(201, {"total": "7"}).heard == "Status 201, 7. 7 due never."


@pytest.mark.parametrize(
    ("status", "body", "heard"),
    [
        (200, {"a": 1}, "Found."),
        (204, {"a": 1}, "Found."),
        (404, None, "Unknown."),
        (500, None, "Failed."),
        (301, None, "Failed."),
        (200, {"a": "x"}, "Odd."),
        (200, {}, "Odd."),
        (200, [1], "Odd."),
        (200, None, "Odd."),
    ],
)
def test_an_answer_is_judged_by_its_status_then_by_its_shape(status: int, body: object, heard: str) -> None:
    assert asking("returns: {a: integer}").responded(status, body).heard == f"{heard} Goodbye."


def test_expected_statuses_are_a_success() -> None:
    parts = "expect: [200, 404]"
    assert asking(parts).responded(404, {"a": 1}).heard == "Found. Goodbye."
    assert asking(parts).responded(204).heard == "Failed. Goodbye."


def test_a_body_that_cannot_be_read_matters_only_where_it_is_read() -> None:
    assert asking("returns: {a: integer}").responded(200, readable=False).heard == "Odd. Goodbye."
    unread = flow_of(
        BARRED.replace("returns: {barred: boolean}", "")
        .replace("into: caller", "")
        .replace("[{guard: caller.barred, target: no}, bye]", "bye\n    on: {error.http: no}")
    )
    assert Caller(unread).responded(200, readable=False).heard == "Goodbye."


@pytest.mark.parametrize("code", ["timeout", "connect", "failed"])
def test_a_service_that_does_not_answer_has_its_events(code: str) -> None:
    caller = asking("timeout: 1s").not_understood(code)
    assert caller.heard == "Failed. Goodbye."
    assert caller.last.path[0].event == ("error.http.timeout" if code == "timeout" else "error.http.connect")


def test_a_service_that_takes_too_long_has_timed_out() -> None:
    caller = asking("timeout: 1s\nretries: 0").waits(2)
    assert caller.last.path[0].event == "error.http.timeout"


def test_an_answer_of_another_service_is_none() -> None:
    caller = asking("timeout: 1s")
    assert caller.apply(ServiceAnswered(caller.job, Transcribed("words"))).last.ignored is not None


# --- the caller meanwhile --------------------------------------------------------------------------------------------

BARRED = """
flow: barred
initial: look
on: {exhausted: bye, error: bye}
states:
  look:
    http:
      url: https://a.example
      returns: {barred: boolean}
      into: caller
      query: {from: "{{ call.from }}"}
      holdPrompt: Wait.
    next: [{guard: caller.barred, target: no}, bye]
  no: {reject: {}}
  bye: {say: Goodbye., final: true}
"""


def test_a_call_is_answered_only_when_it_has_to_wait_for_a_service() -> None:
    assert Caller(flow_of(BARRED)).kinds == ["Request"]
    assert Caller(flow_of(BARRED)).responded(200, {"barred": True}).kinds == ["Reject"]
    held = Caller(flow_of(BARRED)).holds()
    assert held.kinds == ["Answer", "Play"]
    assert held.responded(200, {"barred": True}).kinds == ["HangUp"]


def test_the_answer_of_a_service_counts_after_the_caller_has_left() -> None:
    gone = Caller(flow_of(BARRED)).hangs_up()
    assert gone.call.phase == "gone"
    assert gone.responded(200, {"barred": False}).call.state == "bye"


# --- shapes ----------------------------------------------------------------------------------------------------------

FITTING: list[tuple[str, Any, Any]] = [
    ("text", "", ""),
    ("integer", 7, 7),
    ("integer", 7.0, 7),
    ("integer", "-7", -7),
    ("decimal", 0.1, Decimal("0.1")),
    ("decimal", 7, Decimal(7)),
    ("decimal", "12.50", Decimal("12.50")),
    ("boolean", False, False),
    ("date", "2026-12-24", date(2026, 12, 24)),
    ("time", "09:40", time(9, 40)),
    ("time", "09:40:30.25", time(9, 40, 30)),
    ("datetime", "2026-12-24T09:40:00.123Z", datetime(2026, 12, 24, 9, 40, tzinfo=UTC)),
    ("datetime", "2026-12-24 09:40+00:00", datetime(2026, 12, 24, 9, 40, tzinfo=UTC)),
]
MISFITTING: list[tuple[str, Any]] = [
    ("text", 7),
    ("text", None),
    ("integer", True),
    ("integer", 7.5),
    ("integer", 10**18),
    ("integer", "7.0"),
    ("decimal", "many"),
    ("decimal", False),
    ("boolean", "true"),
    ("boolean", 1),
    ("date", "24122026"),
    ("date", "2026-02-31"),
    ("time", 940),
    ("datetime", "2026-12-24T09:40"),
    ("datetime", "2026-12-24"),
    ("text", ["a"]),
]


@pytest.mark.parametrize(("name", "body", "value"), FITTING)
def test_a_json_value_becomes_its_type(name: str, body: Any, value: Any) -> None:
    made = shaped(body, read_type(name))
    assert (made, type(made)) == (value, type(value))


@pytest.mark.parametrize(("name", "body"), MISFITTING)
def test_what_does_not_fit_its_type_is_no_value(name: str, body: Any) -> None:
    with pytest.raises(Misshapen):
        shaped(body, read_type(name))


def test_a_misshapen_answer_is_named_by_its_place_and_never_by_its_value() -> None:
    shape = read_type({"lines": [{"price": "decimal"}]})
    with pytest.raises(Misshapen) as caught:
        shaped({"lines": [{"price": "secret"}]}, shape)
    assert str(caught.value) == '"price" in an item of "lines" is not of type decimal'


def test_lists_and_optional_members() -> None:
    shape = read_type({"a?": "text", "b": ["integer"]})
    assert shaped({"b": [1, 2]}, shape) == {"a": None, "b": (1, 2)}
    assert shaped(None, optional(shape)) is None
    assert shaped([1, "x"], Type("list")) == (1, "x")


def test_only_what_a_shape_names_is_kept() -> None:
    shape = json.decode(shape_text(read_type({"a?": "text", "b": [{"c": "integer"}]})))
    assert shape == {"a?": "text", "b": [{"c": "integer"}]}
    body = {"a": "x", "b": [{"c": 1, "card": "4111"}, 7], "card": "4111"}
    assert only_named(body, shape) == {"a": "x", "b": [{"c": 1}, 7]}
    assert only_named({"a": {"card": "4111"}}, shape) == {"a": {}}
    assert only_named([["card"]], shape) == []
    assert json.decode(shape_text(Type("list"))) == ["any"]


SHAPES = st.recursive(
    st.sampled_from(["text", "integer", "decimal", "boolean", "date"]),
    lambda inner: st.one_of(
        inner.map(lambda one: [one]),
        st.dictionaries(st.sampled_from(["a", "b?", "c"]), inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
BODIES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(SHAPES, BODIES)
def test_what_is_kept_of_a_body_is_judged_as_the_whole(written: Any, body: Any) -> None:
    type_ = read_type(written)

    def judged(value: Any) -> object:
        try:
            return shaped(value, type_)
        except Misshapen as misshapen:
            return str(misshapen)

    assert judged(only_named(body, json.decode(shape_text(type_)))) == judged(body)
