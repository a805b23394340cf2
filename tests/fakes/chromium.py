"""A real Chromium without a window, driven over its DevTools protocol: a person with a screen, a mouse and a keyboard.

https://chromedevtools.github.io/devtools-protocol/ describes the messages. Whatever a page writes to its console and
every exception nobody caught is kept, so that a test can insist on silence.
"""

import asyncio
import base64
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.waiting import PATIENCE

MISSING = "Chromium is not installed (Debian: apt-get install chromium)"

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-background-timer-throttling",
    "--autoplay-policy=no-user-gesture-required",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE ::1, EXCLUDE localhost",  # no test leaves here
    "--use-fake-device-for-media-stream",
    "--remote-debugging-port=0",
)
_KEYS: Mapping[str, tuple[str, int]] = {"Enter": ("Enter", 13), "Tab": ("Tab", 9), "Escape": ("Escape", 27)}


def installed() -> str | None:
    """Return the program, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str, said: list[str]) -> None:
        self._socket = socket
        self._session = session
        self.complaints = said
        "Errors and warnings of the page's console, refusals of its content security policy, uncaught exceptions."
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._count = 0

    async def go(self, url: str) -> None:
        """Load a page, and return when it is loaded."""
        await self.open(url)
        address = json.dumps(url.partition("#")[0])
        await self.until(f"document.readyState === 'complete' && location.href.startsWith({address})")

    async def open(self, url: str) -> None:
        """Begin to load a page, which may lead on to another."""
        await self.send("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """Run a script in the page and give what it gives, when it is there."""
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"].get("exception", {}).get("description", script))
        return answer["result"].get("value")

    async def until(self, condition: str, *, patience: float = PATIENCE) -> Any:
        """Return what a condition gives as soon as it is true, or fail with what the page shows."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    with suppress(AssertionError):  # between two pages there is no document
                        if found := await self.run(_WAIT.format(condition)):
                            return found
        except TimeoutError:
            shown = await self.run("document.body.innerText")
            raise AssertionError(f"{condition} did not come true; the page shows:\n{shown}") from None

    async def text(self, selector: str) -> str:
        """Return what an element shows."""
        return str(await self.until(f"!({_UNSTYLED}) && document.querySelector({json.dumps(selector)})?.innerText"))

    async def texts(self, selector: str) -> list[str]:
        """Return what all such elements show."""
        return list(await self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.innerText)"))

    async def click(self, selector: str) -> None:
        """Click in the middle of an element."""
        await self.release(await self.hold(selector))

    async def hold(self, selector: str) -> Mapping[str, float]:
        """Press the mouse's button in the middle of an element, and give that place."""
        where: Mapping[str, float] = await self.until(_MIDDLE.format(json.dumps(selector), _UNSTYLED))
        await self.send("Input.dispatchMouseEvent", type="mousePressed", **where, button="left", clickCount=1)
        return where

    async def release(self, where: Mapping[str, float]) -> None:
        """Let go of the mouse's button."""
        await self.send("Input.dispatchMouseEvent", type="mouseReleased", **where, button="left", clickCount=1)

    async def press(self, key: str) -> None:
        """Press a key on the keyboard."""
        name, code = _KEYS.get(key, (key, ord(key.upper()) if len(key) == 1 else 0))
        text = {"text": "\r" if key == "Enter" else key} if key == "Enter" or len(key) == 1 else {}
        await self.send("Input.dispatchKeyEvent", type="keyDown", key=name, windowsVirtualKeyCode=code, **text)
        await self.send("Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=code)

    async def write(self, text: str) -> None:
        """Write into what has the keyboard."""
        await self.send("Input.insertText", text=text)

    async def screen(self, width: int, height: int, *, dark: bool = False, scale: float = 1.0) -> None:
        """Be a screen of that size."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        await self.send("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.send("Emulation.setEmulatedMedia", features=[scheme])

    async def photograph(self, file: Path) -> None:
        """Keep a picture of what can be seen."""
        shot = await self.send("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))

    async def send(self, method: str, **parameters: Any) -> Any:
        """Send one command of the protocol and give its answer."""
        self._count += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._count] = answer
        order = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        await self._socket.send_json(order)
        async with asyncio.timeout(PATIENCE):
            return await answer

    async def listen(self) -> None:
        """Take what the browser says, for as long as the tab lasts."""
        async for message in self._socket:
            said = json.loads(message.data)
            if (number := said.get("id")) in self._answers:
                answer = self._answers.pop(number)
                if "error" in said:
                    answer.set_exception(AssertionError(said["error"]["message"]))
                else:
                    answer.set_result(said["result"])
            elif said.get("method") == "Runtime.exceptionThrown":
                details = said["params"]["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description") or details["text"])
            elif said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(f"{said['params']['entry']['text']} {said['params']['entry'].get('url', '')}")

    def attached(self, session: str) -> None:
        """Speak with this tab from now on."""
        self._session = session


class Browser:
    """A Chromium that runs, for as many people as want it; none of them sees what the others left."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, microphone: Path) -> None:
        self.process = process
        self._url = url
        self._microphone = microphone

    @asynccontextmanager
    async def page(self, *, microphone: Path | None = None) -> AsyncIterator[Page]:
        """Open one empty tab, in a profile of its own that is gone with it.

        `microphone` is a WAV file, heard from its begin each time it is used; without, the page gets no microphone.
        Two tabs at once hear the same file.
        """
        if microphone:
            self._microphone.write_bytes(microphone.read_bytes())
        async with aiohttp.ClientSession() as client, client.ws_connect(self._url, max_msg_size=0) as socket:
            tab = Page(socket, "", [])
            listening = asyncio.create_task(tab.listen())
            profile = (await tab.send("Target.createBrowserContext"))["browserContextId"]
            try:
                await self._attach(tab, profile, hears=microphone is not None)
                yield tab
            finally:
                tab.attached("")
                await tab.send("Target.disposeBrowserContext", browserContextId=profile)
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    @staticmethod
    async def _attach(tab: Page, profile: str, *, hears: bool) -> None:
        setting = "granted" if hears else "denied"
        await tab.send(
            "Browser.setPermission", permission={"name": "microphone"}, setting=setting, browserContextId=profile
        )
        target = await tab.send("Target.createTarget", url="about:blank", browserContextId=profile, newWindow=True)
        attached = await tab.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab.attached(attached["sessionId"])
        for domain in ("Page", "Runtime", "Log"):
            await tab.send(f"{domain}.enable")


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Run a browser that nobody has used before. Its data lies in `folder`."""
    program = installed()
    assert program, MISSING
    microphone = folder / "microphone.wav"
    process = subprocess.Popen(
        [
            *(program, *_FLAGS, f"--use-file-for-fake-audio-capture={microphone}"),
            f"--user-data-dir={folder / 'chromium'}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )
    try:
        yield Browser(process, _address(process), microphone)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=5)
        if process.returncode is None:
            process.kill()
            process.communicate()


def _address(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr
    for line in process.stderr:
        if found := re.search(rb"DevTools listening on (ws://\S+)", line):
            return found[1].decode()
    raise AssertionError("Chromium did not start")


_WAIT = """new Promise((done) => {{
  const ends = Date.now() + 500;
  const look = () => {{
    let found = false;
    try {{ found = {0}; }} catch {{ }}
    if (found || Date.now() > ends) done(found instanceof Node || found); else setTimeout(look, 10);
  }};
  look();
}})"""
_UNSTYLED = "document.readyState !== 'complete'"
"What stands on such a page moves yet, and shows other text."
_MIDDLE = """(() => {{
  const element = document.querySelector({0});
  if (!element || element.disabled || {1}) return null;
  element.scrollIntoView({{ block: 'center' }});
  const box = element.getBoundingClientRect();
  return box.width ? {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }} : null;
}})()"""
