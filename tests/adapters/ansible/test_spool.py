"""The spool survives whatever happens to its writer."""

from __future__ import annotations

import errno
import os
import stat
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.adapters.ansible.spool import Line, SpoolReader, SpoolWriter, create_spool, read_whole

RECORDS = st.lists(st.dictionaries(st.text(max_size=8), st.text(max_size=40) | st.integers() | st.none(), max_size=4))


def written(folder: Path, records: list[dict[str, object]]) -> Path:
    path = folder / "spool"
    path.unlink(missing_ok=True)
    create_spool(path)
    writer = SpoolWriter(path)
    for record in records:
        writer.write(record)
    writer.close()
    return path


@given(records=RECORDS)
def test_what_was_written_is_read_in_order_with_numbers_from_one(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]]
) -> None:
    path = written(tmp_path_factory.mktemp("spool"), records)

    lines = list(read_whole(path, offset=0))

    assert [line.record for line in lines if isinstance(line, Line)] == records
    assert [line.number for line in lines if isinstance(line, Line)] == list(range(1, len(records) + 1))


def test_reading_goes_on_from_any_offset_that_was_handed_out(tmp_path: Path) -> None:
    path = written(tmp_path, [{"n": n} for n in range(5)])
    second = SpoolReader(path).read(2)[-1]

    rest = list(read_whole(path, offset=second.offset))

    assert [line.record["n"] for line in rest if isinstance(line, Line)] == [2, 3, 4]
    assert [line.number for line in rest if isinstance(line, Line)] == [3, 4, 5]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_is_left_out_and_told(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, [{"n": 1, "text": "x" * 30}, {"n": 2, "text": "y" * 30}])
    os.truncate(path, path.stat().st_size - cut)

    *lines, told = read_whole(path, offset=0)

    assert [line.record["n"] for line in lines if isinstance(line, Line)] == [1]
    assert isinstance(told, str)
    assert "torn line" in told


def test_a_line_that_is_completed_later_is_read_whole(tmp_path: Path) -> None:
    path = written(tmp_path, [{"text": "a" * 700_000}])
    content = path.read_bytes()
    path.write_bytes(content[:300_000])
    reader = SpoolReader(path)

    early = reader.read(10)
    path.write_bytes(content)
    late = reader.read(10)

    assert early == []
    assert [len(str(line.record["text"])) for line in late] == [700_000]
    assert reader.torn == 0


@pytest.mark.parametrize(("old", "new"), [(b'"n":2', b'"n":7'), (b"2 ", b"3 ")])
def test_a_changed_or_missing_line_stops_the_reading_there(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = written(tmp_path, [{"n": 1}, {"n": 2}, {"n": 3}])
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second.replace(old, new, 1) + third)

    *lines, told = read_whole(path, offset=0)

    assert [line.record["n"] for line in lines if isinstance(line, Line)] == [1]
    assert told == f"the spool is damaged at byte {len(first)}"


def test_only_its_owner_can_read_a_spool_and_none_is_made_twice(tmp_path: Path) -> None:
    path = written(tmp_path, [])

    mode = stat.S_IMODE(path.stat().st_mode)

    assert mode == 0o600
    with pytest.raises(FileExistsError):
        create_spool(path)


def test_a_full_disk_is_waited_for_and_nothing_is_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, [])
    waited: list[float] = []
    room = [3, 0, 0, 4]
    write = os.write

    def write_on_a_full_disk(descriptor: int, content: bytes) -> int:
        left = room.pop(0) if room else len(content)
        if left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, bytes(content[:left]))

    monkeypatch.setattr(os, "write", write_on_a_full_disk)
    writer = SpoolWriter(path, sleep=waited.append)
    writer.write({"n": 1})
    writer.close()

    assert [line.record for line in read_whole(path, offset=0) if isinstance(line, Line)] == [{"n": 1}]
    assert waited == [0.5, 0.5]


def test_a_disk_that_stays_full_is_an_error_in_the_end(tmp_path: Path) -> None:
    writer = SpoolWriter(Path("/dev/full"), patience=1.0, sleep=lambda _: None)

    with pytest.raises(OSError, match="No space left"):
        writer.write({"n": 1})


def test_memory_stays_flat_while_long_spools_are_read(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    create_spool(path)
    writer = SpoolWriter(path)
    for number in range(20_000):
        writer.write({"kind": "host_ok", "host": f"h{number % 50}", "text": "x" * 100})
    writer.close()
    reader = SpoolReader(path)
    tracemalloc.start()

    count = 0
    while lines := reader.read(300):
        count += len(lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 20_000
    assert peak < 2_000_000
