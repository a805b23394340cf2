"""What is still to be sent: payloads of 20 ms, which may be of the codec that was used before."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from ivr.rtp.codecs import MEMORY_FRAMES, SETTLING, transcoder
from ivr.sip.media_plan import CodecName

_NOTHING: Final = 1 << 30


class PayloadQueue:
    """The sound of one stream; silence is what its owner makes of None."""

    def __init__(self, codec: CodecName) -> None:
        self._codec = codec
        self._payloads: deque[bytes] = deque()
        self._recent: deque[bytes] = deque(maxlen=MEMORY_FRAMES)
        "What was taken last, as it was queued."
        self._older = 0
        "How many of the first payloads are of another codec."
        self._transcode: Callable[[bytes], bytes] = bytes
        "Makes this codec's payload of an older one."
        self._pauses = True
        "What comes does not continue what was there before."
        self._silent = _NOTHING
        "How many frames there was silence."

    def __len__(self) -> int:
        return len(self._payloads)

    def add(self, payloads: Sequence[bytes]) -> None:
        """Put payloads behind those that are there."""
        self._payloads.extend(payloads)

    def clear(self) -> None:
        """Forget what is there; another sound will follow."""
        self._payloads.clear()
        self._older = 0
        self._pauses = True

    def take(self) -> bytes | None:
        """Return the payload of the next 20 ms; None: silence.

        There is some silence before a sound that does not continue another, if the codec needs it.
        """
        if not self._payloads or (self._pauses and self._silent < SETTLING[self._codec]):
            self._pauses = True
            self._silent += 1
            return None
        self._pauses = False
        self._silent = 0
        payload = self._payloads.popleft()
        self._recent.append(payload)
        if self._older:
            self._older -= 1
            return self._transcode(payload)
        return payload

    def use(self, codec: CodecName) -> None:
        """Go on with another codec: what is there is transcoded when its time comes."""
        if codec == self._codec:
            return
        if self._older:  # twice in one prompt
            older = [self._transcode(self._payloads.popleft()) for _ in range(self._older)]
            self._payloads.extendleft(reversed(older))
        self._transcode = transcoder(self._codec, codec, self._recent)
        self._older = len(self._payloads)
        self._codec = codec
        self._pauses = True
        self._silent = 0
