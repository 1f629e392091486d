"""The page as a browser shows it: wide, on a phone, in the dark, and on paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.run import Verdict
from runner.reporting.document import to_html, to_json
from tests.reporting.a_month import OCTOBER, PATCH_WEB, Ended, a_copy, a_run, report_of, updated
from tests.reporting.browser import DARK, LIGHT, measured, printed

pytestmark = pytest.mark.browser
WIDTHS = (1280, 768, 390, 320)
LONG = "a-server-with-a-very-long-name.in-a-domain-that-does-not-end.department.example.internal"


@pytest.fixture(scope="module")
def unwieldy(new_installation: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with names, versions and messages that have no place to break."""
    folder = tmp_path_factory.mktemp("unwieldy")
    failed = HostResult(LONG, Result.FAILED, cause="package_broken", text="x" * 3000)
    packages = tuple((f"lib{LONG}{number}", "1" * 60, "2" * 60) for number in range(3))
    schedule = replace(PATCH_WEB, name="patch" * 20, title="Updates" * 20, playbook=f"playbooks/{LONG}.yml")
    ends = {LONG: Ended(failed, packages), **updated("web-01")}
    with a_copy(new_installation, folder) as store:
        a_run(store, schedule, ends, at=OCTOBER.starts, verdict=Verdict.DEGRADED, reason="y" * 300)
        return to_html(to_json(report_of(store, organisation="Z" * 120))).decode()


@pytest.fixture(scope="module")
def in_light(page: str, unwieldy: str, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Any]:
    pages = {"october": page, "unwieldy": unwieldy}
    return measured(pages, widths=WIDTHS, scheme=LIGHT, folder=tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="module")
def in_dark(page: str, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Any]:
    return measured({"october": page}, widths=WIDTHS, scheme=DARK, folder=tmp_path_factory.mktemp("dark"))


@pytest.mark.parametrize("name", ["october", "unwieldy"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_reaches_beyond_the_page(in_light: dict[tuple[str, int], Any], name: str, width: int) -> None:
    found = in_light[name, width]

    assert found["scrollWidth"] <= found["width"], found["beyond"]
    assert (found["beyond"], found["cut"], found["overlapping"]) == ([], [], [])


@pytest.mark.parametrize("scheme", ["in_light", "in_dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_all_text_has_the_contrast_of_wcag_aa(request: pytest.FixtureRequest, scheme: str, width: int) -> None:
    found = request.getfixturevalue(scheme)["october", width]

    assert found["texts"] > 300
    assert found["faint"] == []


def test_dark_is_dark_and_light_is_light(
    in_dark: dict[tuple[str, int], Any], in_light: dict[tuple[str, int], Any]
) -> None:
    dark, light = in_dark["october", 1280], in_light["october", 1280]

    assert dark["paper"] < 0.02
    assert dark["ink"] > 0.7
    assert light["paper"] > 0.9
    assert light["ink"] < 0.02


def test_paper_holds_everything_also_what_is_folded_on_the_screen(page: str, tmp_path: Path) -> None:
    text = " ".join(printed(page, folder=tmp_path).split())

    assert "Sign-off" in text
    assert "Not part of this report yet" in text
    assert "openssl 3.0.17-1~deb12u2" in text
    assert "post-installation" in text
    assert "1 of " in text
    assert "To the summary" not in text
