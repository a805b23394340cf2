"""Plays one prompt at a time, in real time: hands its sound out, and waits until it was heard."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from ivr.engine.commands import Segment
from ivr.media.pacing import Clock, until
from ivr.media.sound import BEEP, FRAME, FRAME_BYTES, PromptRenderer, SoundPiece


class Player:
    """A loudspeaker; to stop it, cancel `play`. `late` counts the frames that were over 20 ms behind their time."""

    def __init__(self, renderer: PromptRenderer, clock: Clock, *, paced: bool) -> None:
        """`paced`: hand out frames of 20 ms (a piece may end in a shorter one), each at its time; else whole pieces."""
        self.late = 0
        self.frames = 0
        self._renderer = renderer
        self._clock = clock
        self._paced = paced

    async def play(self, segments: Sequence[Segment], out: Callable[[bytes], None], *, beep: bool = False) -> None:
        """Play to the end, with a `beep` after it if wanted; raise Unplayable."""
        ends: float | None = None
        async with aclosing(_pieces(self._renderer, segments, beep=beep)) as pieces:
            async for piece in pieces:
                # Time runs from when there is something to hear; a piece that is spoken too slowly leaves a gap.
                begins = self._clock.now() if ends is None else max(ends, self._clock.now())
                await self._hand_out(piece, begins, out)
                ends = begins + piece.seconds
        if ends is not None:
            await until(self._clock, ends)

    async def _hand_out(self, piece: SoundPiece, begins: float, out: Callable[[bytes], None]) -> None:
        if not piece.samples:
            return
        if not self._paced:
            out(piece.samples)
            return
        for number, start in enumerate(range(0, len(piece.samples), FRAME_BYTES)):
            due = begins + number * FRAME
            await until(self._clock, due)
            self.frames += 1
            self.late += self._clock.now() - due > FRAME
            out(piece.samples[start : start + FRAME_BYTES])


async def _pieces(
    renderer: PromptRenderer, segments: Sequence[Segment], *, beep: bool
) -> AsyncGenerator[SoundPiece, None]:
    async with aclosing(renderer.render(segments)) as rendered:
        async for piece in rendered:
            yield piece
    if beep:
        yield BEEP
