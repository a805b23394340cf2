"""How far a command has come, on the terminal of the standard error; elsewhere nothing is shown."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

from ivr.cli.terminal_text import plain


class ProgressBar:
    """A line that counts, and is gone at the end."""

    def __init__(self, progress: Progress, description: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(plain(description), total=total)

    def begin(self, description: str, total: int) -> None:
        """Show what is done now, and how much of it."""
        self._progress.update(self._task, description=plain(description), total=total)

    def show(self, description: str, done: int, total: int | None) -> None:
        """Show what is done now, and how far it is."""
        self._progress.update(self._task, description=plain(description), completed=done, total=total)

    def advance(self) -> None:
        """Count one more."""
        self._progress.advance(self._task)


@contextmanager
def progress_bar(description: str, total: int | None = None) -> Iterator[ProgressBar]:
    """Show what is done, and how much of it; None: that is not known yet."""
    screen = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as progress:
        yield ProgressBar(progress, description, total)
