from __future__ import annotations

import hashlib
import json
import math
import subprocess
from collections import UserString
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.record.record import (
    GENESIS,
    Checkpoint,
    Link,
    LogEntry,
    canonical,
    chained,
    checkpoint_message,
    closing_body,
    closing_in,
    instant_text,
    key_id,
    link,
    read_checkpoint,
    read_line,
)

AT = datetime(2026, 3, 21, 21, 0, tzinfo=UTC)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFy3G9hCbEhrn4d1yJdDRrCCBvVZi5cN7mBq3n0e2mHk wellkept"
any_text = st.text(st.characters(codec=None), max_size=8)  # half surrogates too
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(any_text, plain, max_size=3)


class Colour(StrEnum):
    RED = "red"


@given(value=plain)
def test_canonical_json_reads_back_as_the_same_value(value: Any) -> None:
    assert json.loads(canonical(value)) == value


@given(value=bodies)
def test_the_order_of_members_does_not_matter(value: dict[str, Any]) -> None:
    backwards = dict(reversed(value.items()))

    assert canonical(backwards) == canonical(value)


@given(value=plain)
def test_what_was_written_canonically_is_written_the_same_again(value: Any) -> None:
    assert canonical(json.loads(canonical(value))) == canonical(value)


def test_canonical_json_has_sorted_keys_no_spaces_and_utf_8() -> None:
    value = {"b": [1, 2.5, None, True], "a": {"ü": "ß", "to": "tea\n"}}

    assert canonical(value) == '{"a":{"to":"tea\\n","ü":"ß"},"b":[1,2.5,null,true]}'.encode()


def test_values_of_ours_become_plain_ones() -> None:
    value = MappingProxyType({"at": AT, "day": date(2026, 3, 21), "colour": Colour.RED, "hosts": ("a", "b")})

    assert (
        canonical(value) == b'{"at":"2026-03-21T21:00:00.000000Z","colour":"red","day":"2026-03-21","hosts":["a","b"]}'
    )


def test_a_name_that_is_not_utf_8_is_kept_as_its_escape() -> None:
    assert canonical({"file": "caf\udce9"}) == b'{"file":"caf\\udce9"}'


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, datetime(2026, 3, 21)])  # noqa: DTZ001 - the point
def test_numbers_that_are_none_and_instants_without_a_zone_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON|time zone"):
        canonical({"value": [value]})


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, timedelta(1), object(), {1: "a"}, UserString, Path("/etc")])
def test_what_json_has_no_word_for_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical({"value": value})


@given(at=st.datetimes(timezones=st.just(UTC)), minutes=st.integers(-600, 600))
def test_an_instant_is_written_the_same_whatever_its_zone_and_sorts_as_text(at: datetime, minutes: int) -> None:
    if not datetime(2, 1, 1, tzinfo=UTC) < at < datetime(9998, 1, 1, tzinfo=UTC):
        return
    elsewhere = at.astimezone(timezone(timedelta(minutes=minutes)))

    assert instant_text(elsewhere) == instant_text(at)
    assert len(instant_text(at)) == 27
    assert (instant_text(at) < instant_text(AT)) == (at < AT)
    assert datetime.fromisoformat(instant_text(at)) == at


@given(body=bodies, seq=st.integers(1, 10**12), stream=any_text)
def test_the_hash_is_sha_256_of_the_canonical_entry_without_its_hash(
    body: dict[str, Any], seq: int, stream: str
) -> None:
    text = canonical(body).decode()

    found = link(GENESIS, stream, seq, AT, text)

    whole = {"at": AT, "body": json.loads(text), "prev": GENESIS, "seq": seq, "stream": stream}
    assert found == hashlib.sha256(canonical(whole)).hexdigest()


@given(body=bodies, stream=any_text)
def test_an_entry_survives_its_line(body: dict[str, Any], stream: str) -> None:
    (entry,) = chained(Link(), stream, [body], at=AT)

    assert read_line(entry.line()) == entry
    assert entry.line() == canonical(json.loads(entry.line()))
    assert b"\n" not in entry.line()
    assert entry.is_sound


def test_entries_are_chained_from_the_head_on() -> None:
    first, second = chained(Link(7, "f" * 64), "run:1", [{"a": 1}, {"b": 2}], at=AT)

    assert (first.seq, first.prev) == (8, "f" * 64)
    assert (second.seq, second.prev) == (9, first.hash)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"not json",
        b'{"at":"2026-03-21T21:00:00.000000Z","body":[],"hash":"","prev":"","seq":1,"stream":"x"}',
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_no_entry_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_line(line)


@given(body=bodies, data=st.data())
def test_a_changed_byte_in_a_line_is_always_noticed(body: dict[str, Any], data: st.DataObject) -> None:
    (entry,) = chained(Link(), "run:1", [body], at=AT)
    line = entry.line()
    place = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[place]))

    changed = line[:place] + bytes([other]) + line[place + 1 :]

    assert is_noticed(changed)


@given(body=bodies, data=st.data())
def test_a_byte_that_was_put_in_or_taken_out_of_a_line_is_always_noticed(
    body: dict[str, Any], data: st.DataObject
) -> None:
    (entry,) = chained(Link(), "run:1", [body], at=AT)
    line = entry.line()
    place = data.draw(st.integers(0, len(line) - 1))
    byte = bytes([data.draw(st.integers(0, 255))])

    assert is_noticed(line[:place] + byte + line[place:])
    assert is_noticed(line[:place] + line[place + 1 :])


def is_noticed(line: bytes) -> bool:
    try:
        return not read_line(line).is_sound
    except ValueError:
        return True


def test_a_closing_names_the_stream_and_its_last_entry() -> None:
    (entry,) = chained(Link(), "run:1", [closing_body("piece.closed", "piece:9", Link(4, "a" * 64))], at=AT)

    assert closing_in(entry) == ("piece:9", Link(4, "a" * 64))


@pytest.mark.parametrize(
    "body",
    [
        {"action": "run.claimed"},
        {"text": 'a ".closed" door'},
        {"action": "run.closed"},
        {"action": "x.closed", "stream": "s", "entries": "4", "hash": "a"},
    ],
)
def test_other_entries_close_nothing(body: dict[str, Any]) -> None:
    (entry,) = chained(Link(), "run:1", [body], at=AT)

    assert closing_in(entry) is None


def test_a_key_s_id_is_the_fingerprint_that_ssh_keygen_prints(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    printed = subprocess.run(["ssh-keygen", "-lf", tmp_path / "key.pub"], capture_output=True, text=True, check=True)

    assert key_id((tmp_path / "key.pub").read_text()) == printed.stdout.split()[1]


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 %%%"])
def test_what_is_no_key_has_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        key_id(text)


def a_message(**more: Any) -> bytes:
    values = {
        "installation": "i",
        "stream": "installation",
        "head": Link(4, "a" * 64),
        "count": 4,
        "at": AT,
        "key": "SHA256:x",
    }
    return checkpoint_message(**{**values, **more})


def test_a_checkpoint_is_read_from_what_was_signed() -> None:
    found, installation = read_checkpoint(a_message(), signature="s", public_key=KEY)

    assert installation == "i"
    assert found == Checkpoint("installation", 4, "a" * 64, 4, AT, "SHA256:x", KEY, "s", a_message().decode())


@pytest.mark.parametrize(
    "message", [b"", b"{}", b"[1]", b" " + a_message(), a_message()[:-1], a_message().replace(b"4", b"4.0")]
)
def test_what_is_no_checkpoint_in_canonical_form_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_checkpoint(message, signature="s", public_key=KEY)


def test_an_entry_whose_content_was_exchanged_is_not_sound() -> None:
    (entry,) = chained(Link(), "run:1", [{"result": "failed"}], at=AT)

    forged = LogEntry(entry.stream, entry.seq, entry.at, entry.prev, entry.hash, '{"result":"ok"}')

    assert not forged.is_sound
