from __future__ import annotations

import json
from pathlib import Path

from tests.cli import rows
from tests.cli.conftest import Repository

REPORT = "report: monthly-audit\nedition: auditor\nperiod: 2026-10\nscope: {services: [shop]}\nformats: [json]\n"


def test_an_edition_is_written_and_its_paths_are_printed(wellkept: Repository) -> None:
    rows.a_settled_run(wellkept.store)

    answered = wellkept("report", "auditor", "--period", "2026-10")

    paths = [Path(line) for line in answered.out.splitlines()]
    assert answered.code == 0
    assert [path.name for path in paths] == ["auditor-2026-10.html", "auditor-2026-10.json"]
    assert all(path.is_file() and path.parent == wellkept.root / "reports/output" for path in paths)


def test_a_report_of_the_files_has_its_own_period_scope_and_formats(wellkept: Repository) -> None:
    wellkept.write("reports/monthly-audit.yml", REPORT)

    answered = wellkept("report", "monthly-audit")

    path = Path(answered.out.strip())
    assert path.name == "monthly-audit-2026-10.json"
    assert "the web shop" in path.read_text()


def test_another_folder_and_one_format(wellkept: Repository, tmp_path: Path) -> None:
    answered = wellkept(
        "report", "auditor", "--period", "2026-Q3", "--format", "json", "--output", str(tmp_path / "out")
    )

    assert answered.code == 0
    assert json.loads((tmp_path / "out/auditor-2026-Q3.json").read_text())


def test_a_report_that_there_is_not_names_the_nearest(wellkept: Repository) -> None:
    answered = wellkept("report", "auditer")

    assert answered.code == 2
    assert "Did you mean 'auditor'?" in answered.err


def test_a_period_that_is_none_is_told_with_the_grammar(wellkept: Repository) -> None:
    answered = wellkept("report", "auditor", "--period", "lately")

    assert answered.code == 2
    assert "--period: 'lately' is not a period" in answered.err
    assert "2026-Q3" in answered.err


def test_an_edition_that_is_not_written_yet_is_said(wellkept: Repository) -> None:
    answered = wellkept("report", "executive")

    assert answered.code == 2
    assert "not supported yet" in answered.err
