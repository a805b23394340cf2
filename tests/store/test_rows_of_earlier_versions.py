"""What earlier versions stored is read, and what is stored keeps its keys."""

import pytest
from msgspec import json

from ivr.engine.events import ServiceAnswered, Transcribed
from ivr.store.rows import Rows, read_request, read_trace
from ivr.store.sealing import Sealer
from tests.store.store_examples import record, request

WRITTEN = [
    ('{"transcript":"hello","confidence":0.5,"engine":"azure","seconds":2}', Transcribed("hello", 0.5, "azure", 2.0)),
    ('{"transcript":"hello","confidence":null}', Transcribed("hello")),
    ('{"transcript":null,"confidence":null,"engine":"none"}', Transcribed(engine="none")),
    ('{"masked":true}', Transcribed(masked=True)),
    ("{}", Transcribed()),
]


@pytest.mark.parametrize(("written", "answer"), WRITTEN)
def test_an_answer_in_a_trace_of_an_earlier_version_is_read(written: str, answer: Transcribed) -> None:
    row = f'[{{"event":{{"type":"ServiceAnswered","job":"3.1","answer":{written}}},"now":1.5}}]'
    (step,) = read_trace(row)
    assert step.event == ServiceAnswered("3.1", answer)
    assert read_trace(json.encode([step]).decode()) == [step]


@pytest.mark.parametrize(("written", "answer"), WRITTEN)
def test_an_answer_that_an_earlier_version_left_in_an_inbox_is_read(written: str, answer: Transcribed) -> None:
    rows, asked = Rows(Sealer(bytes(32), source="test")), request("3.1")
    row = f'{{"type":"ServiceAnswered","job":"3.1","answer":{written}}}'.encode()
    assert rows.read_answer("a", asked, row) == ServiceAnswered("3.1", answer)


def test_an_order_that_says_whether_its_answer_is_wanted_is_read() -> None:
    body = json.decode(json.encode(request("3.1"))) | {"wanted": False}
    assert read_request(json.encode(body).decode()) == request("3.1")


def test_a_stored_call_counts_its_steps_under_the_key_of_earlier_versions() -> None:
    call = record("a").call
    assert f'"turn":{call.steps}' in json.encode(call).decode()
