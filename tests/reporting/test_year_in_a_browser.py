"""The year as a browser shows it: on a wide screen, on a phone, in the dark, and on paper."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.reporting.a_year import a_year
from tests.reporting.browser import DARK, LIGHT, measured, printed

pytestmark = pytest.mark.browser
WIDTHS = (1700, 1280, 768, 390, 320)


@pytest.fixture(scope="module")
def in_light(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Any]:
    pages = {"year": a_year(), "unwieldy": a_year(organisation="Z" * 120)}
    return measured(pages, widths=WIDTHS, scheme=LIGHT, folder=tmp_path_factory.mktemp("light"))


@pytest.fixture(scope="module")
def in_dark(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Any]:
    return measured({"year": a_year()}, widths=WIDTHS, scheme=DARK, folder=tmp_path_factory.mktemp("dark"))


@pytest.mark.parametrize("name", ["year", "unwieldy"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_reaches_beyond_the_page(in_light: dict[tuple[str, int], Any], name: str, width: int) -> None:
    found = in_light[name, width]

    assert found["scrollWidth"] <= found["width"], found["beyond"]
    assert (found["beyond"], found["cut"]) == ([], [])


@pytest.mark.parametrize("scheme", ["in_light", "in_dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_all_text_has_the_contrast_of_wcag_aa(request: pytest.FixtureRequest, scheme: str, width: int) -> None:
    found = request.getfixturevalue(scheme)["year", width]

    assert found["texts"] > 150
    assert found["faint"] == []


def test_dark_is_dark_and_light_is_light(
    in_dark: dict[tuple[str, int], Any], in_light: dict[tuple[str, int], Any]
) -> None:
    assert in_dark["year", 1280]["paper"] < 0.02
    assert in_light["year", 1280]["paper"] > 0.9


@pytest.mark.parametrize("size", ["A4", "A3", "letter"])
def test_the_year_is_one_sheet_of_paper(tmp_path: Path, size: str) -> None:
    without_policy = re.sub(r"<meta http-equiv.*?>", "", a_year())  # which holds for the style as it is written
    page = without_policy.replace("size: landscape", f"size: {size} landscape")

    text = printed(page, folder=tmp_path)

    assert "Security updates of the servers" in text
    assert "A letter stands on the day" in text
    assert pages_of(tmp_path / "page.pdf") == 1


def pages_of(file: Path) -> int:
    program = shutil.which("pdfinfo")
    assert program, "pdfinfo is missing; install it with: apt-get install poppler-utils"
    said = subprocess.run([program, str(file)], capture_output=True, text=True, check=True).stdout
    found = re.search(r"^Pages:\s+(\d+)", said, re.MULTILINE)
    assert found is not None
    return int(found[1])
