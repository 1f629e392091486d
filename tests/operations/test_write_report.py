"""Reports as files: whole or not at all, recorded with their digests, and known to the record before they take their place."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.domain.record.record import INSTALLATION
from runner.domain.report import Edition, ReportDefinition
from runner.domain.who import Actor
from runner.errors import StoreUnavailable, Unknown, UsageError
from runner.operations.record.write_report import write_report
from runner.reporting.material import Scope
from runner.store.database import Store
from runner.store.record import evidence, log
from tests.reporting.a_month import BERLIN, OCTOBER, PATCH_WEB, VERSIONS, WRITTEN_AT, a_run, new_store, updated

MONTHLY = ReportDefinition("monthly-audit", Edition.AUDITOR, "last_month", title="Maintenance of the web shop")


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = new_store(tmp_path_factory.mktemp("october"))
    a_run(opened, PATCH_WEB, updated("web-01"), at=OCTOBER.starts)
    yield opened
    opened.close()


def written(
    store: Store, folder: Path, definition: ReportDefinition | Edition = MONTHLY, **changes: object
) -> list[Path]:
    arguments: dict[str, object] = {
        "period": OCTOBER,
        "folder": folder,
        "organisation": "Example Ltd",
        "timezone": BERLIN,
        "generated_at": WRITTEN_AT,
        "actor": Actor("ana"),
        "versions": VERSIONS,
    }
    return write_report(store, definition, **{**arguments, **changes})  # type: ignore[arg-type]


def last_entry(store: Store) -> dict[str, object]:
    *_, last = store.read(lambda c: list(log.entries(c, INSTALLATION)))
    return dict(last.content)


def test_each_format_is_a_file_named_after_report_and_period(october: Store, tmp_path: Path) -> None:
    paths = written(october, tmp_path / "reports" / "output")

    assert [path.name for path in paths] == ["monthly-audit-2026-10.html", "monthly-audit-2026-10.json"]
    assert sorted(path.name for path in (tmp_path / "reports" / "output").iterdir()) == [path.name for path in paths]
    assert "Maintenance of the web shop" in paths[0].read_text("utf-8")
    assert json.loads(paths[1].read_bytes())["cover"]["organisation"] == "Example Ltd"


def test_an_edition_by_itself_bears_its_own_name(october: Store, tmp_path: Path) -> None:
    (path,) = written(october, tmp_path, Edition.AUDITOR, formats=["json"])

    assert path.name == "auditor-2026-10.json"
    assert json.loads(path.read_bytes())["cover"]["title"] == "Audit report of completed maintenance"


def test_nobody_but_owner_and_group_may_read_a_report(october: Store, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        paths = written(october, tmp_path)
    finally:
        os.umask(before)

    assert {path.stat().st_mode & 0o777 for path in paths} == {0o640}


def test_the_log_holds_who_wrote_it_and_the_digest_of_each_file(october: Store, tmp_path: Path) -> None:
    paths = written(october, tmp_path)

    entry = last_entry(october)
    files = [
        {"name": p.name, "sha256": hashlib.sha256(p.read_bytes()).hexdigest(), "size": p.stat().st_size} for p in paths
    ]
    assert (entry["action"], entry["actor"], entry["files"]) == (
        "report.written",
        {"kind": "person", "name": "ana"},
        files,
    )
    assert entry["report"] == json.loads(paths[1].read_bytes())["id"]


def test_the_evidence_is_the_json_itself(october: Store, tmp_path: Path) -> None:
    _, path = written(october, tmp_path)

    kept = str(last_entry(october)["evidence"])
    assert october.read(lambda c: evidence.body_of(c, kept)) == path.read_bytes()


def test_only_html_is_written_when_only_html_is_asked_for_and_the_json_is_kept_all_the_same(
    october: Store, tmp_path: Path
) -> None:
    paths = written(october, tmp_path, formats=["html", "html"])

    kept = str(last_entry(october)["evidence"])
    assert [path.suffix for path in paths] == [".html"]
    assert october.read(lambda c: evidence.body_of(c, kept))


def test_an_earlier_report_is_replaced_also_where_a_link_lies(october: Store, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("untouched")
    (tmp_path / "monthly-audit-2026-10.json").symlink_to(elsewhere)

    written(october, tmp_path)
    paths = written(october, tmp_path)

    assert elsewhere.read_text() == "untouched"
    assert not paths[1].is_symlink()


def test_a_report_of_services_needs_their_hosts(october: Store, tmp_path: Path) -> None:
    about_shop = ReportDefinition("shop", Edition.AUDITOR, "last_month", services=("web-shop",), formats=("json",))

    with pytest.raises(ValueError, match="Give their hosts as its scope"):
        written(october, tmp_path, about_shop)
    (path,) = written(october, tmp_path, about_shop, scope=Scope("the web shop", frozenset({("production", "web-01")})))

    assert json.loads(path.read_bytes())["cover"]["scope"] == "the web shop"


@pytest.mark.parametrize(
    ("definition", "formats", "message"),
    [
        (Edition.EXECUTIVE, [], "The executive edition is not supported yet. Editions that are: auditor."),
        (MONTHLY, ["pdf"], "Reports cannot be written as pdf yet. Formats that can: html, json."),
        (ReportDefinition("../evil", Edition.AUDITOR, "last_month"), [], "'../evil' cannot be a file's name."),
    ],
)
def test_what_is_not_written_yet_is_refused_and_nothing_is_left(
    october: Store, tmp_path: Path, definition: ReportDefinition | Edition, formats: list[str], message: str
) -> None:
    before = last_entry(october)

    with pytest.raises(UsageError) as refused:
        written(october, tmp_path / "output", definition, formats=formats)

    assert message in str(refused.value)
    assert last_entry(october) == before
    assert not (tmp_path / "output").exists()


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A full disk, as a process sees it; the database's own pages are smaller writes at lower offsets, but it is not written here."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_a_disk_that_fills_up_leaves_the_old_report_and_no_entry(october: Store, tmp_path: Path) -> None:
    old = written(october, tmp_path)[0].read_bytes()
    before = last_entry(october)

    with files_no_larger_than(2000), pytest.raises(Unknown, match="the report cannot be written"):
        written(october, tmp_path, organisation="Another Ltd")

    assert (tmp_path / "monthly-audit-2026-10.html").read_bytes() == old
    assert last_entry(october) == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_is_a_file_is_refused_with_the_way_out(october: Store, tmp_path: Path) -> None:
    (tmp_path / "output").write_text("")

    with pytest.raises(Unknown, match=r"Free space there, or let this user write it"):
        written(october, tmp_path / "output")


def test_no_report_takes_its_place_that_the_record_does_not_know(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    a_run(store, PATCH_WEB, updated("web-01"), at=OCTOBER.starts)
    impatient = Store.open(f"sqlite:///{tmp_path}/var/wellkept.db", state_dir=tmp_path / "var", patience=0.2)

    def hold_the_database(_connection: object) -> None:
        with pytest.raises(StoreUnavailable):
            written(impatient, tmp_path / "output")

    store.write(hold_the_database)
    store.close()
    impatient.close()

    assert list((tmp_path / "output").iterdir()) == []
