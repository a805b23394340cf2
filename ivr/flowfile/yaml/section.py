"""A part of a file that is parsed by itself, and where in the file each of its characters stands."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from ivr.flowfile.finding import Edit
from ivr.flowfile.yaml.mistakes import Mistake


class Section(Struct, frozen=True):
    """A part of a file, perhaps put right in memory."""

    text: str
    origin: Sequence[int]
    "Where each of its characters stands in the file, and where it ends."
    file: str
    "The whole file as it was written."

    @classmethod
    def whole(cls, text: str) -> "Section":
        """Take a whole file."""
        return cls(text, range(len(text) + 1), text)

    def part(self, start: int, end: int) -> "Section":
        """Return a part of this one."""
        return Section(self.text[start:end], self.origin[start : end + 1], self.file)

    def replaced(self, *edits: Edit) -> "Section":
        """Return the same with other texts in some places, which are in order."""
        texts: list[str] = []
        origin: list[int] = []
        at = 0
        for edit in edits:
            texts += [self.text[at : edit.start], edit.text]
            origin += [*self.origin[at : edit.start], *([self.origin[edit.start]] * len(edit.text))]
            at = edit.end
        return Section("".join([*texts, self.text[at:]]), [*origin, *self.origin[at:]], self.file)

    def placed(self, mistake: Mistake) -> Mistake:
        """Return a mistake of this part as one of the file.

        A fix goes along only where the file was not put right: it must not write what is there to read on.
        """
        last = len(self.origin) - 1
        start, end = self.origin[min(mistake.start, last)], self.origin[min(mistake.end, last)]
        return replace(
            mistake, start=start, end=max(end, start + 1), mend=None, fix=mistake.fix and self._in_file(mistake.fix)
        )

    def _in_file(self, edit: Edit) -> Edit | None:
        start, end = self.origin[edit.start], self.origin[edit.end]
        is_as_written = self.file[start:end] == self.text[edit.start : edit.end]
        return Edit(start, end, edit.text) if is_as_written else None
