"""`ivr talk --channel chat`: a person at the keys reads and writes, and sees cards and their buttons as text."""

from pathlib import Path

from click.testing import CliRunner, Result

from ivr.cli import main
from ivr.cli.activity_text import shown
from tests.chat.chat_activities import published

FLOWS = Path(__file__).parents[2] / "flows"
ORDER = """\
flow: order
initial: ask
on: {exhausted: bye, error: bye}
states:
  ask:
    menu:
      prompt:
        - carousel:
            - {card: hero, title: Sushi, text: "For sushi, press 7.", buttons: [{title: Order it, value: sushi}]}
            - {card: hero, title: Tofu, text: "For tofu, press 2."}
      choices: {sushi: {dtmf: "7"}, tofu: {dtmf: "2"}}
      noInput: Are you still there?
      noMatch: We have none of that.
    on: {sushi: paid, tofu: gone}
  paid:
    say:
      card: receipt
      title: Your order
      text: That is 16 euros.
      items: [{title: Sushi, quantity: "2", price: 16 €}]
      total: 16 €
      buttons: [{type: call, title: Call us, value: "tel:+4312345"}]
    next: own
  own:
    say: [{card: custom, text: Our own., channelData: '{"pad": 1.50}'}]
    next: number
  number: {digits: {prompt: Which table?, maxDigits: 3, into: table}, next: told}
  told: {say: "Table {{ table }}, {{ call.channel }}, {{ call.from or 'nobody' }}.", final: true}
  gone: {transfer: {to: "tel:+431"}, on: {transferred: bye, failed: bye}}
  bye: {say: Goodbye., final: true}
"""


def talk(flow: Path, *typed: str, options: tuple[str, ...] = ()) -> Result:
    asked = ["talk", str(flow), "--channel", "chat", *options]
    result = CliRunner().invoke(main, asked, input="".join(f"{line}\n" for line in typed))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def order(tmp_path: Path, *typed: str, options: tuple[str, ...] = ()) -> str:
    (tmp_path / "order.yaml").write_text(ORDER)
    return talk(tmp_path / "order.yaml", *typed, options=options).output


def test_cards_are_read_and_their_buttons_pressed_by_what_stands_in_brackets(tmp_path: Path) -> None:
    said = order(tmp_path, "1", "4 2", options=("--from", "anna"))
    assert "Sushi\nFor sushi, press 7.\n" in said
    assert "  [1] Order it\n" in said
    assert "  [2] Tofu\n" in said
    assert "ask — sushi → paid" in said
    assert "That is 16 euros.\nYour order\n  2, Sushi, 16 €\n  total: 16 €\n  (Call us: tel:+4312345)\n" in said
    assert "Which table?\n" in said
    assert "Table 42, chat, anna." in said
    assert "The call is over" in said


def test_what_is_written_counts_as_in_a_chat_and_a_transfer_is_none_there(tmp_path: Path) -> None:
    said = order(tmp_path, "pizza", "", "/state", "/nothing", "/help", "tofu")
    assert "We have none of that." in said
    assert "Are you still there?" in said
    assert "state ask, attempt 3" in said
    assert "There is no such command." in said
    assert "what stands in their brackets presses one" in said
    assert "gone — failed.unsupported → bye" in said


def test_leaving_is_a_command_or_the_end_of_the_input(tmp_path: Path) -> None:
    assert "The call is over: abandoned." in order(tmp_path, "/hangup")
    assert "The call is over: abandoned." in order(tmp_path)


def test_what_is_written_to_a_recording_is_its_transcript() -> None:
    said = talk(FLOWS / "support.yaml", "1", "my light is off").output
    assert "We heard: my light is off." in said
    assert "(the flow ends the conversation)" in said


def test_a_chat_is_not_placed() -> None:
    assert "a chat places no calls" in talk(FLOWS / "support.yaml", options=("--placed",)).output


def test_published_cards_are_shown_with_all_that_can_be_read() -> None:
    lines = {name: shown(published(name)["request"]["body"]) for name in ("25", "26", "28", "30", "32")}
    assert [line for line in lines["28"].lines if "Sushi" in line] == ["  1, Sushi, 2 piece, 16.25"]
    assert lines["28"].lines[-2:] == ["  total: 275.25", "  (Go to my site: https://blog.example.com/)"]
    assert list(lines["30"].presses.values())[:3] == ["sushi,1", "sushi,2", "sushi,3+"]
    assert list(lines["30"].presses) == [f"{number}" for number in range(1, 10)]
    assert shown({"type": "event", "name": "handoff.initiate"}).lines == ("(handoff.initiate)",)
    assert shown({"type": "message", "attachments": [{"contentUrl": "https://x.example/a.wav"}]}).lines == [
        "(file https://x.example/a.wav)"
    ]
