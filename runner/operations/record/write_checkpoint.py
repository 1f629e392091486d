"""Signs where the record stands: the installation's stream, and each stream that is still open."""

from __future__ import annotations

from datetime import datetime

from runner.domain.record.record import (
    INSTALLATION,
    Checkpoint,
    Link,
    checkpoint_message,
    key_id,
    piece_stream,
    run_stream,
)
from runner.ports import Clock, Signer
from runner.store.database import Store
from runner.store.execution import pieces, runs
from runner.store.record import checkpoints, log
from runner.store.transaction import Transaction


def write_checkpoint(store: Store, signer: Signer, *, clock: Clock) -> list[Checkpoint]:
    """Sign every stream that has grown since it was last signed with this key, and keep the checkpoints.

    A closed stream needs none of its own: its last hash is an entry of its parent, and the installation's stream holds the last hash of every run.
    """
    key = signer.public_key()
    grown = store.read(lambda c: grown_streams(c, key_id(key)))
    signed = [
        sign(stream, head, count, signer=signer, key=key, store=store, at=clock())
        for stream, (head, count) in grown.items()
    ]
    kept: list[Checkpoint] = store.write(lambda c: [each for each in signed if checkpoints.add(c, each)])
    return kept


def grown_streams(connection: Transaction, key: str) -> dict[str, tuple[Link, int]]:
    """Where each open stream ends and how many entries it has, if this key has not signed that place yet."""
    found: dict[str, tuple[Link, int]] = {}
    for stream in open_streams(connection):
        head = log.head(connection, stream)
        last = checkpoints.last(connection, stream)
        if head.seq and (last is None or last.seq < head.seq or last.key_id != key):
            found[stream] = (head, log.count(connection, stream))
    return found


def open_streams(connection: Transaction) -> list[str]:
    """The installation's stream, and those of the runs and pieces that are going on."""
    going = [run_stream(run.id) for run in runs.live(connection)]
    return [INSTALLATION, *going, *(piece_stream(piece.id) for piece in pieces.claimed(connection))]


def sign(stream: str, head: Link, count: int, *, signer: Signer, key: str, store: Store, at: datetime) -> Checkpoint:
    """A signed statement of where one stream stands."""
    message = checkpoint_message(
        installation=store.installation.id, stream=stream, head=head, count=count, at=at, key=key_id(key)
    )
    return Checkpoint(
        stream=stream,
        seq=head.seq,
        hash=head.hash,
        count=count,
        at=at,
        key_id=key_id(key),
        public_key=key,
        signature=signer.sign(message),
        message=message.decode(),
    )
