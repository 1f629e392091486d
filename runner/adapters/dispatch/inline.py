"""Does pieces in threads of this process: the default on one machine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Inline:
    """One thread per piece that is being done; a piece that is already being done here is not begun again."""

    def __init__(self, do_piece: Callable[[str], None]) -> None:
        """`do_piece` does one piece, and whatever comes after it, given its id."""
        self._do_piece = do_piece
        self._doing: set[str] = set()
        self._changed = threading.Condition()
        self._draining = False

    def dispatch(self, piece: str) -> None:
        """Have this piece done, soon, once."""
        with self._changed:
            if self._draining or piece in self._doing:
                return
            self._doing.add(piece)
        threading.Thread(target=self._work, args=(piece,), name=f"piece-{piece[-6:]}", daemon=True).start()

    def _work(self, piece: str) -> None:
        try:
            self._do_piece(piece)
        except Exception:
            log.exception("Piece %s could not be done", piece, extra={"action": "piece.failed", "piece": piece})
        finally:
            with self._changed:
                self._doing.discard(piece)
                self._changed.notify_all()

    def busy(self) -> bool:
        """Whether a piece that was handed over is still being done here."""
        with self._changed:
            return bool(self._doing)

    def wait_for_change(self, *, wait: float) -> None:
        """Wait until a piece has ended, at most `wait` seconds."""
        with self._changed:
            self._changed.wait(wait)

    def drain(self, *, wait: float) -> bool:
        """Take nothing new and wait for what is in flight; True when nothing is left."""
        with self._changed:
            self._draining = True
            return self._changed.wait_for(lambda: not self._doing, wait)
