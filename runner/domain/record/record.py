"""The record that can be proved: canonical JSON, entries chained by SHA-256 in streams, and checkpoints over them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

INSTALLATION = "installation"
GENESIS = "0" * 64
NAMESPACE = "wellkept-record"
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_PLAIN = frozenset({str, int, bool, float, type(None)})


def piece_stream(piece: str) -> str:
    """The stream that holds what happened in one piece."""
    return f"piece:{piece}"


def run_stream(run: str) -> str:
    """The stream that holds a run's own decisions."""
    return f"run:{run}"


def instant_text(at: datetime) -> str:
    """An instant in the one form that the record uses: UTC, microseconds, Z; refuses a naive one."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"{at!r} has no time zone; the record takes aware instants only")
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def canonical(value: object) -> bytes:
    """The one way to write a value as JSON: sorted keys, no spaces, UTF-8.

    Raises ValueError for NaN, infinities and naive instants, TypeError for what JSON has no word for. A half surrogate (a file name that is not UTF-8) is
    written as its JSON escape, so that nothing that was heard is ever too odd to be recorded.
    """
    return _ENCODER.encode(_plain(value)).encode("utf-8", "backslashreplace")


def _plain(value: object) -> object:
    if type(value) in _PLAIN:  # most of what is recorded, and a record is long
        return value
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str.__str__(value)
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {_key(key): _plain(item) for key, item in value.items()}
        case bytes() | bytearray():
            raise TypeError("bytes have no JSON form; record their digest or decode them first")
        case Sequence():
            return [_plain(item) for item in value]
        case _:
            raise TypeError(
                f"{type(value).__name__} has no JSON form; turn it into text, numbers, lists and mappings first"
            )


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{key!r} is not text; JSON names its members by text")
    return str.__str__(key)


@dataclass(frozen=True, slots=True)
class Link:
    """The end of a stream: the number and hash of its last entry; (0, GENESIS) when there is none yet."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a stream; `body` is canonical JSON text, exactly as it was hashed. `seq` counts from 1 within the stream."""

    stream: str
    seq: int
    at: datetime
    prev: str
    hash: str
    body: str

    @property
    def content(self) -> Mapping[str, object]:
        """The body as a mapping."""
        content: Mapping[str, object] = json.loads(self.body)
        return content

    @property
    def is_sound(self) -> bool:
        """Whether the entry still has the hash that it was given."""
        return self.hash == link(self.prev, self.stream, self.seq, self.at, self.body)

    def line(self) -> bytes:
        """The entry as one canonical JSON line, without the line's end."""
        start = f'{{"at":"{instant_text(self.at)}","body":{self.body},"hash":{_quoted(self.hash)},"prev":{_quoted(self.prev)},'
        whole = f'{start}"seq":{self.seq},"stream":{_quoted(self.stream)}}}'
        return whole.encode("utf-8", "backslashreplace")


def link(prev: str, stream: str, seq: int, at: datetime, body: str) -> str:
    """The hash that binds an entry to the one before: SHA-256 of its canonical JSON without `hash`, as hexadecimal text."""
    hashed = f'{{"at":"{instant_text(at)}","body":{body},"prev":"{prev}","seq":{seq},"stream":{_quoted(stream)}}}'
    return hashlib.sha256(hashed.encode("utf-8", "backslashreplace")).hexdigest()


def chained(head: Link, stream: str, bodies: Sequence[Mapping[str, object]], *, at: datetime) -> list[LogEntry]:
    """Entries that continue a stream from its head, in order."""
    entries = []
    for body in bodies:
        text = canonical(body).decode()
        seq = head.seq + 1
        entry = LogEntry(stream, seq, at, head.hash, link(head.hash, stream, seq, at, text), text)
        head = Link(entry.seq, entry.hash)
        entries.append(entry)
    return entries


def read_line(line: bytes) -> LogEntry:
    """The entry that a canonical JSON line holds; raises ValueError when the line is anything but that, byte for byte."""
    try:
        raw = json.loads(line)
        body = canonical(_mapping(raw["body"])).decode()
        entry = LogEntry(
            raw["stream"], _number(raw["seq"]), datetime.fromisoformat(raw["at"]), raw["prev"], raw["hash"], body
        )
        written = entry.line()
    except (KeyError, TypeError, AttributeError, RecursionError) as reason:
        raise ValueError(f"not an entry of the record ({reason})") from reason
    if written != line:
        raise ValueError("not in the one canonical form")
    return entry


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("its body is not a mapping")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("its number is not a whole one")
    return value


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def closing_body(action: str, stream: str, head: Link) -> dict[str, object]:
    """The body that closes a stream in its parent: a piece's in its run's, a run's in the installation's; `action` ends in `.closed`."""
    return {"action": action, "stream": stream, "entries": head.seq, "hash": head.hash}


def closing_in(entry: LogEntry) -> tuple[str, Link] | None:
    """Which stream this entry closes, and where that stream ended; None for any other entry."""
    if '.closed"' not in entry.body:
        return None
    content = entry.content
    action, stream, seq, digest = (content.get(name) for name in ("action", "stream", "entries", "hash"))
    closes = isinstance(action, str) and action.endswith(".closed")
    if closes and isinstance(stream, str) and isinstance(seq, int) and isinstance(digest, str):
        return stream, Link(seq, digest)
    return None


def key_id(public_key: str) -> str:
    """The fingerprint of an OpenSSH public key as `ssh-keygen -l` prints it; raises ValueError when it is not a key."""
    try:
        blob = base64.b64decode(public_key.split()[1], validate=True)
    except (IndexError, ValueError) as reason:
        raise ValueError("not an OpenSSH public key in its one-line form") from reason
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement of where a stream stood; `message` is the signed text, byte for byte, `count` how many entries were kept then."""

    stream: str
    seq: int
    hash: str
    count: int
    at: datetime
    key_id: str
    public_key: str = field(repr=False)
    signature: str = field(default="", repr=False)
    message: str = field(default="", repr=False)


def checkpoint_message(*, installation: str, stream: str, head: Link, count: int, at: datetime, key: str) -> bytes:
    """What is signed; `key` is the key's id, so that a signature cannot be passed off as another key's."""
    statement = {
        "at": at,
        "count": count,
        "hash": head.hash,
        "installation": installation,
        "key_id": key,
        "seq": head.seq,
        "stream": stream,
    }
    return canonical({"wellkept_checkpoint": 1, **statement})


def read_checkpoint(message: bytes, *, signature: str, public_key: str) -> tuple[Checkpoint, str]:
    """The checkpoint that a signed message states, and the installation that it is of; raises ValueError when it is not one in canonical form."""
    try:
        said = json.loads(message)
        head, count = Link(_number(said["seq"]), said["hash"]), _number(said["count"])
        at, key = datetime.fromisoformat(said["at"]), said["key_id"]
        whole = {"installation": said["installation"], "stream": said["stream"], "count": count}
        written = checkpoint_message(head=head, at=at, key=key, **whole)
        stated = Checkpoint(
            said["stream"], head.seq, head.hash, count, at, key, public_key, signature, message.decode()
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as reason:
        raise ValueError(f"not a checkpoint ({reason})") from reason
    if written != message:
        raise ValueError("not in the one canonical form")
    return stated, str(said["installation"])
