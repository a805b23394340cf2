"""The calls of the README and of the tutorial, pasted into a shell as they stand, against the real server."""

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.pages import ROOT, fences, section, text
from tests.kept_recordings import kept_recordings

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

README = fences(section(text("README.md"), "## A call by curl"), "sh")
TUTORIAL = text("tutorial.md")
SHOP, GARAGE = fences(TUTORIAL, "yaml flow")
HOURS = section(TUTORIAL, "## 9. A line that knows hours, languages and a web service")
CALLED = [block for block in fences(section(TUTORIAL, "## 5. Serve it, and be the platform"), "sh") if "curl" in block]
WENT_ON = [block for block in fences(section(TUTORIAL, "## 6. Kill it"), "sh") if "curl" in block]


class Server:
    """`ivr serve --dev` in a folder, and a shell in the same folder."""

    def __init__(self, folder: Path, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._folder = folder
        self._data = data

    def start(self, flows: str) -> None:
        """Serve, and return when calls are taken."""
        command = ["serve", "--dev", "--port", str(self._port), "--data", str(self._data), flows]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ivr", *command],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout
        assert "Serving" in self._process.stdout.readline()

    def end(self, number: signal.Signals) -> int:
        """Send a signal, and give what the server ended with."""
        self._process.send_signal(number)
        assert self._process.stdout
        self._process.stdout.close()
        return self._process.wait(timeout=60)

    def paste(self, *blocks: str) -> list[str]:
        """Run blocks in one shell, and give what each printed."""
        script = "\nprintf '\\0'\n".join(blocks).replace("127.0.0.1:8080", f"127.0.0.1:{self._port}")
        done = subprocess.run(
            ["bash", "-euc", script], cwd=self._folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split("\0")

    def recording(self) -> bytes:
        """Return the only recording in the data folder."""
        (audio,) = kept_recordings(self._data).values()
        return audio


@pytest.fixture
def readme(tmp_path: Path) -> Iterator[Server]:
    server = Server(ROOT, tmp_path / "data")
    server.start("flows/")
    yield server
    assert server.end(signal.SIGTERM) == 0


@pytest.fixture
def tutorial(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "shop.yaml").write_text(SHOP, "utf-8")
    server = Server(tmp_path, tmp_path / "recordings" / "live")
    server.start("shop.yaml")
    yield server
    assert server.end(signal.SIGTERM) == 0


def actions(workflow: str) -> list[str]:
    """Return the actions of a workflow, nested prompts included."""
    return re.findall(r'"action":"(\w+)"', workflow)


def test_the_call_of_the_readme_goes_through(readme: Server) -> None:
    answered, asked, thanked, ended = readme.paste(*README)
    assert actions(answered) == ["answer", "recognize", "playPrompt"]
    assert actions(asked) == ["record", "playPrompt"]
    assert actions(thanked) == ["playPrompt", "hangup"]
    assert ended == ""
    assert readme.recording() == (ROOT / "flows" / "products.wav").read_bytes()


def test_the_call_of_the_tutorial_survives_being_killed(tutorial: Server, tmp_path: Path) -> None:
    answered, asked = tutorial.paste(*CALLED)
    assert actions(answered) == ["answer", "recognize", "playPrompt"]
    assert actions(asked) == ["record", "playPrompt"]

    assert tutorial.end(signal.SIGKILL) == -signal.SIGKILL
    tutorial.start("shop.yaml")
    variables = CALLED[0].splitlines()[0]
    (repeated,) = tutorial.paste(f"{variables}\n{CALLED[1]}")
    assert repeated == asked

    thanked, ended = tutorial.paste(f"{variables}\n{WENT_ON[0]}", WENT_ON[1])
    assert actions(thanked) == ["playPrompt", "hangup"]
    assert "That was 7 seconds." in thanked
    assert ended == ""
    assert tutorial.recording() == (tmp_path / "shop.yaml").read_bytes()


def test_the_mistake_of_the_tutorial_is_reported_as_shown(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP.replace("next: thanks", "next: thank"), "utf-8")
    command = [sys.executable, "-m", "ivr", "check", "shop.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    (shown,) = fences(section(TUTORIAL, "## 3. Check it"), "")
    assert done.returncode == 1
    assert shown.strip() in done.stdout


def typed(folder: Path, command: str, keys: str = "") -> str:
    """Run a command that a page shows in a folder, with what is typed, and give what it prints."""
    _, *arguments = shlex.split(command)
    done = subprocess.run(
        [sys.executable, "-m", "ivr", *arguments],
        cwd=folder, input=keys, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_line_with_hours_languages_and_a_web_service_talks_as_shown(tmp_path: Path) -> None:
    (answers,), (commands,), (shown,) = (fences(HOURS, kind) for kind in ("yaml", "sh", ""))
    (tmp_path / "garage.yaml").write_text(GARAGE, "utf-8")
    (tmp_path / "answers.yaml").write_text(answers, "utf-8")
    check, in_english, at_christmas = commands.splitlines()
    assert typed(tmp_path, check) == "1 flow checked: nothing found.\n"
    heard = typed(tmp_path, in_english, "9999\n1234\n")
    assert "There is no repair of that number." in heard
    assert "Your car is ready on Thursday, December 3. The repair costs 129 euros and 90 cents." in heard
    assert shown.strip() in typed(tmp_path, at_christmas)
