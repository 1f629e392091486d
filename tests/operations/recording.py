"""A small installation with a record in it: runs with pieces, closed as they are in real life, and a key that signs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from runner.adapters.signing import SshSigner, make_key, verify
from runner.domain.execution.run import Stage, Verdict
from runner.domain.record.record import INSTALLATION, closing_body, piece_stream, run_stream
from runner.store.database import Store, create
from runner.store.execution import pieces, runs
from runner.store.record import log
from tests.store.making import LEASE, NOON, a_result, a_run, an_owner

ENVIRON = {"PATH": os.environ["PATH"]}


def signature_is_valid(message: bytes, signature: str, public_key: str, approver: str | None = None) -> bool:
    return verify(message, signature, public_key=public_key, environ=ENVIRON, approver=approver)


def a_signer(folder: Path) -> SshSigner:
    return SshSigner(make_key(folder / "record-key", environ=ENVIRON), environ=ENVIRON)


@dataclass
class Recorder:
    """Writes a record as the daemon does; `now` moves by a minute with each run."""

    store: Store
    signer: SshSigner
    now: datetime = NOON

    def clock(self) -> datetime:
        return self.now

    def a_live_run(self) -> str:
        self.now += timedelta(minutes=1)
        run = self.store.write(lambda c: runs.insert(c, a_run(created_at=self.now)))
        self.log(run_stream(run), {"action": "run.claimed", "run": run})
        return run

    def a_live_piece(self, run: str, batch: int = 1) -> tuple[str, int]:
        wanted = {
            "run": run,
            "wave": 1,
            "batch": batch,
            "stage": Stage.APPLY,
            "step": 0,
            "attempt": 1,
            "hosts": (f"of-{run}",),
        }
        piece = self.store.write(lambda c: pieces.plan(c, **wanted))
        assert piece
        claim = {"owner": an_owner(), "inventory": "production", "lease": LEASE}
        fence = self.store.write(lambda c: pieces.claim(c, piece, **claim))
        assert fence
        self.log(piece_stream(piece), {"action": "piece.started"}, {"action": "event", "text": "größer → kleiner"})
        return piece, fence

    def end_piece(self, run: str, piece: str, fence: int) -> None:
        def write(connection: Any) -> None:
            end = {"results": {"web1": a_result()}, "problem": None, "unmatched": (), "complete": True, "at": self.now}
            assert pieces.finish(connection, piece, fence=fence, **end)
            head = log.append(connection, piece_stream(piece), [{"action": "piece.ended"}], at=self.now)
            pieces.set_closing_hash(connection, piece, head.hash)
            closing = closing_body("piece.closed", piece_stream(piece), head)
            log.append(connection, run_stream(run), [closing], at=self.now)

        self.store.write(write)

    def end_run(self, run: str) -> None:
        def write(connection: Any) -> None:
            assert runs.settle(connection, run, verdict=Verdict.SUCCEEDED, reason="", at=self.now)
            head = log.append(connection, run_stream(run), [{"action": "run.settled"}], at=self.now)
            closing = closing_body("run.closed", run_stream(run), head)
            log.append(connection, INSTALLATION, [closing], at=self.now)

        self.store.write(write)

    def a_whole_run(self) -> str:
        run = self.a_live_run()
        for batch in (1, 2):
            piece, fence = self.a_live_piece(run, batch)
            self.end_piece(run, piece, fence)
        self.end_run(run)
        return run

    def log(self, stream: str, *bodies: dict[str, object]) -> None:
        self.store.write(lambda c: log.append(c, stream, bodies, at=self.now))


def a_recorder(folder: Path) -> Recorder:
    url = f"sqlite:///{folder}/var/wellkept.db"
    create(url, state_dir=folder / "var", now=NOON)
    return Recorder(Store.open(url, state_dir=folder / "var"), a_signer(folder))
