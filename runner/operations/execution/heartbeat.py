"""Keeps a claimed piece ours: renews its lease, and feeds its leash only as long as nobody else can have taken it over."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType

from runner.errors import StoreUnavailable
from runner.ports import Monotonic

LEASE = timedelta(seconds=180)
RENEW_EVERY = 20.0  # seconds between renewals that were confirmed
RETRY_EVERY = 2.0  # seconds between renewals while they fail
FEED_FOR = 15.0  # seconds that the leash waits for the next feeding
FED_UNTIL = (
    150.0  # seconds after the last confirmed renewal was sent; the leash is dead before the lease can be taken over
)
BEAT = 1.0

log = logging.getLogger(__name__)


class Heartbeat:
    """Beats in a thread of its own for as long as the piece goes on; `lost` is set when the lease is no longer ours."""

    def __init__(
        self, *, renew: Callable[[], bool], feed: Callable[[float], None], monotonic: Monotonic, since: float
    ) -> None:
        """`renew` asks the store and says whether the fence still holds; `feed` tells the leash how many seconds to wait.

        `since` is when the claim was sent, by `monotonic`: the lease runs from then, however long it took to start the piece.
        """
        self._renew = renew
        self._feed = feed
        self._monotonic = monotonic
        self._confirmed = self._tried = since
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self.lost = threading.Event()

    def __enter__(self) -> Heartbeat:
        """Begin to beat."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop beating."""
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.is_set() and not self.lost.is_set():
            self.once()
            self._stop.wait(BEAT)

    def once(self) -> None:
        """Feed if that is still safe, and renew if it is time."""
        if self._monotonic() - self._confirmed >= FED_UNTIL:
            self.lost.set()
            return
        self._feed(FEED_FOR)
        if self._due():
            self._try_to_renew()

    def _due(self) -> bool:
        now = self._monotonic()
        return now - self._confirmed >= RENEW_EVERY and now - self._tried >= RETRY_EVERY

    def _try_to_renew(self) -> None:
        sent = self._tried = self._monotonic()
        try:
            still_ours = self._renew()
        except StoreUnavailable as reason:
            log.warning("The lease could not be renewed: %s", reason, extra={"action": "lease.renew_failed"})
            return
        if still_ours:
            self._confirmed = sent
        else:
            self.lost.set()
