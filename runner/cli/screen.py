"""Rich's console, but for one habit: it would leave with 1 when the reader goes away (`| head`), and nothing is wrong then."""

from __future__ import annotations

from rich.console import Console


class Screen(Console):
    """Writes tables; a reader that went away is told to the funnel, which knows what to do."""

    def on_broken_pipe(self) -> None:
        """Pass it on."""
        raise BrokenPipeError
