"""What people signed is checked with the record, in the database and in a copy; the signatures are made by a real ssh-agent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runner.domain.record.record_faults import FaultKind
from runner.domain.who import Actor
from runner.operations.record import record_files as files
from runner.operations.record.export_record import export_record
from runner.operations.record.verify_record import RecordReport, verify_record
from runner.store.schema import approvals as table
from tests.operations.a_site import HOSTS, SATURDAY_NIGHT, Bench, a_bench
from tests.operations.approvals import NORMAL, PEOPLE, KeyHolder, a_key_holder, approved_by
from tests.operations.recording import a_signer, signature_is_valid


@pytest.fixture(scope="module")
def bob(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyHolder]:
    with a_key_holder(tmp_path_factory.mktemp("bob")) as holder:
        yield holder


@pytest.fixture
def bench(tmp_path: Path, bob: KeyHolder) -> Bench:
    """A run that began by bob's signed approval, and has ended."""
    settings = PEOPLE.replace("bob: {}", f'bob: {{keys: ["{bob.public_key}"]}}')
    made = a_bench(tmp_path / "site", schedule=NORMAL, settings=settings).but(signer=a_signer(tmp_path))
    made.time.now = SATURDAY_NIGHT - timedelta(hours=6)
    made.tick()
    approved_by("bob", made, seals=bob.seals)
    made.time.now = SATURDAY_NIGHT
    made.tick()
    return made


@pytest.fixture
def copy(bench: Bench, tmp_path: Path) -> Path:
    return export_record(bench.site.store, tmp_path / "copy").folder


def check(source: Bench | Path) -> RecordReport:
    return verify_record(source if isinstance(source, Path) else source.site.store, verify_signature=signature_is_valid)


def bad_approvals(source: Bench | Path) -> list[str]:
    return [fault.text for fault in check(source).faults if fault.kind is FaultKind.BAD_APPROVAL]


def test_a_signed_approval_is_checked_in_the_database_and_in_a_copy(bench: Bench, copy: Path) -> None:
    in_database, in_copy = check(bench), check(copy)

    assert (in_database.is_whole, in_copy.is_whole) == (True, True)
    assert (in_database.approvals, in_copy.approvals) == (1, 1)


def test_an_approval_that_nobody_signed_is_none_to_check(tmp_path: Path) -> None:
    bench = a_bench(tmp_path / "site", schedule=NORMAL, settings=PEOPLE)
    approved_by("bob", bench)

    assert check(bench).approvals == 0
    assert check(bench).is_whole


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("hosts", (*HOSTS, "web-04"), "what bob signed is not what the database says was approved"),
        ("digest", "f" * 64, "what bob signed is not what the database says was approved"),
        ("message", "{}", "what bob signed is not what the database says was approved"),
        ("by", Actor("cem"), "what cem signed is not what the database says was approved"),
        ("signature", "no signature at all", "the signature of bob is not valid"),
        ("public_key", "ssh-ed25519 AAAA", "the signature of bob is not valid"),
        ("public_key", None, "the signature of bob is not valid"),
    ],
)
def test_a_row_that_somebody_changed_is_found(bench: Bench, column: str, value: object, says: str) -> None:
    bench.site.store.write(lambda c: c.execute(table.update().values({column: value})))

    assert bad_approvals(bench) == [says]


def of_another_key(copy: Path, folder: Path) -> None:
    with a_key_holder(folder, name="mallory") as mallory:
        (copy / files.APPROVERS).write_text(files.approvers_text([("bob", mallory.public_key)]))


def of_another_name(copy: Path, _: Path) -> None:
    path = copy / files.APPROVERS
    path.write_text(path.read_text().replace("bob ", "cem ", 1))


def with_more_hosts(copy: Path, _: Path) -> None:
    (path,) = (copy / files.APPROVALS).glob("*.json")
    path.write_bytes(path.read_bytes().replace(b'"web-03"', b'"web-03","web-04"'))


def without_signature(copy: Path, _: Path) -> None:
    (path,) = (copy / files.APPROVALS).glob("*.sig")
    path.unlink()


def without_approvers(copy: Path, _: Path) -> None:
    (copy / files.APPROVERS).unlink()


def without_sense(copy: Path, _: Path) -> None:
    (path,) = (copy / files.APPROVALS).glob("*.json")
    path.write_text("[" * 100_000)


def with_odd_approvers(copy: Path, _: Path) -> None:
    path = copy / files.APPROVERS
    path.write_text(f"# mine\n{path.read_text()}")


FORGERIES = (
    of_another_key,
    of_another_name,
    with_more_hosts,
    without_signature,
    without_approvers,
    without_sense,
    with_odd_approvers,
)


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forged_copy_is_found_also_when_its_sums_were_made_anew(
    copy: Path, tmp_path: Path, forge: Callable[[Path, Path], None]
) -> None:
    forged = tmp_path / "forged"
    shutil.copytree(copy, forged)

    forge(forged, tmp_path / "forger")
    (forged / files.SUMS).write_text(files.sums_text(forged))

    found = check(forged).faults
    assert found
    assert {fault.kind for fault in found} <= {FaultKind.BAD_APPROVAL, FaultKind.BAD_FILE}
    assert all(fault.stream.startswith(("approvals/", files.APPROVERS)) for fault in found)
