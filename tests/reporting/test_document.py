"""The page: made from the JSON alone, sealed against whatever a host may say, and readable by everybody."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.outcome import HostResult, Result
from runner.domain.execution.run import Verdict
from runner.reporting.document import SECTIONS, printable, style_digest, to_html, to_json
from runner.reporting.values import AuditReport
from runner.store.database import Store
from tests.reporting.a_month import OCTOBER, PATCH_WEB, Ended, a_run, report_of

HOSTILE = "<script>alert('web')</script>\"'&{{ 7*7 }}{% raw %}"


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: list[str] = field(default_factory=list)


class Reading(HTMLParser):
    """Every element of a page, and that each is closed."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr", "path", "circle", "rect", "use"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[Element] = []
        self.unclosed: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and (not self.open or self.open.pop().tag != tag):
            self.unclosed.append(tag)

    def handle_data(self, text: str) -> None:
        for element in self.open:
            element.text.append(text)

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]


@pytest.fixture(scope="module")
def reading(page: str) -> Reading:
    return Reading(page)


def page_of(report: AuditReport) -> str:
    return to_html(to_json(report)).decode()


def test_the_page_is_made_from_the_json_alone(report: AuditReport) -> None:
    text = to_json(report)

    changed = json.loads(text)
    changed["cover"]["organisation"] = "Somebody Else"
    page = to_html(json.dumps(changed).encode()).decode()

    assert "Somebody Else" in page
    assert "Example Ltd" not in page


def test_every_element_is_closed_and_every_id_is_there_once(reading: Reading) -> None:
    ids = [element.attributes["id"] for element in reading.elements if "id" in element.attributes]

    assert (reading.unclosed, reading.open) == ([], [])
    assert len(ids) == len(set(ids))


def test_every_link_leads_to_a_place_of_the_same_page(reading: Reading) -> None:
    ids = {f"#{element.attributes['id']}" for element in reading.elements if "id" in element.attributes}
    targets = [element.attributes.get("href") for element in reading.all("a", "use")]

    assert len(targets) > 50
    assert set(targets) <= ids


def test_the_page_needs_nothing_from_outside_and_runs_nothing(page: str, reading: Reading) -> None:
    assert reading.all("script", "link", "img", "iframe", "object", "embed", "form", "input", "base") == []
    assert [
        element
        for element in reading.elements
        if any(name.startswith("on") or name in {"style", "src"} for name in element.attributes)
    ] == []
    assert re.findall(r"(?:https?:)?//[a-z]|@import|url\((?!#)", page) == []


def test_the_security_policy_allows_its_one_style_sheet_only(reading: Reading) -> None:
    (policy,) = [
        e.attributes["content"]
        for e in reading.all("meta")
        if e.attributes.get("http-equiv") == "Content-Security-Policy"
    ]

    assert (
        policy
        == f"default-src 'none'; style-src 'sha256-{style_digest('audit.css')}'; base-uri 'none'; form-action 'none'"
    )
    assert len(reading.all("style")) == 1


def test_the_page_is_built_for_people_who_listen_to_it(reading: Reading) -> None:
    (html,) = reading.all("html")
    levels = [int(element.tag[1]) for element in reading.all("h1", "h2", "h3", "h4")]

    assert html.attributes["lang"] == "en-GB"
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert len(reading.all("caption")) == len(reading.all("table"))
    assert all(element.attributes.get("scope") in {"col", "row"} for element in reading.all("th"))
    assert [
        svg for svg in reading.all("svg") if "aria-hidden" not in svg.attributes and "aria-label" not in svg.attributes
    ] == []


def test_every_section_has_its_own_number_as_its_heading(reading: Reading) -> None:
    headings = ["".join(element.text).strip() for element in reading.all("h2")]

    assert headings == ["Contents", *(f"{number} {title}" for number, (_, title) in SECTIONS.items()), "Sign-off"]


def test_outcomes_are_told_by_words_and_shape_beside_colour(reading: Reading) -> None:
    statuses = [
        element for element in reading.all("span") if "status" in (element.attributes.get("class") or "").split()
    ]

    assert len(statuses) > 20
    assert all("".join(element.text).strip() for element in statuses)
    shapes = {element.attributes["href"] for element in reading.all("use")}
    assert {"#mark-good", "#mark-partly", "#mark-bad", "#mark-neutral"} <= shapes


def test_every_run_slot_ticket_override_and_evidence_bears_its_whole_id(page: str, report: AuditReport) -> None:
    lines = (*report.schedule, *report.changes, *report.tickets, *report.overrides, *report.evidence.evidence)

    assert [line.id for line in lines if line.id not in page] == []


def test_digests_are_shown_whole(page: str, report: AuditReport) -> None:
    digests = [line.hash for line in report.evidence.streams] + [line.sha256 for line in report.evidence.evidence]

    assert [digest for digest in digests if digest not in page] == []


def test_whatever_a_host_says_stays_text(store: Store) -> None:
    evil = HostResult(HOSTILE, Result.FAILED, cause=HOSTILE, text=HOSTILE)
    a_run(
        store,
        PATCH_WEB,
        {HOSTILE: Ended(evil, ((HOSTILE, HOSTILE, HOSTILE),))},
        at=OCTOBER.starts,
        verdict=Verdict.FAILED,
        reason=HOSTILE,
    )

    page = page_of(
        report_of(store, organisation=HOSTILE, title=HOSTILE, generated_by=HOSTILE, versions={HOSTILE: HOSTILE})
    )

    reading = Reading(page)
    assert reading.all("script") == []
    assert (reading.unclosed, reading.open) == ([], [])
    assert page.count("&lt;script&gt;") > 10
    assert "{{ 7*7 }}" in page


@pytest.mark.parametrize(
    "mark", ["\N{RIGHT-TO-LEFT OVERRIDE}", "\x1b[31m", "\x00", "\ud800", "\N{LEFT-TO-RIGHT ISOLATE}", "\x85"]
)
def test_marks_that_cannot_be_seen_are_made_visible_on_the_page(report: AuditReport, mark: str) -> None:
    document = json.loads(to_json(report))
    document["cover"]["organisation"] = f"Exa{mark}mple"

    page = to_html(json.dumps(document).encode()).decode()

    assert mark[0] not in page
    assert "Exa\N{REPLACEMENT CHARACTER}" in page


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_making_marks_visible_twice_changes_no_more(value: Any) -> None:
    once = printable(value)

    assert printable(once) == once


def test_the_json_is_whole_and_has_no_naked_control_characters(store: Store) -> None:
    odd = HostResult("web-01", Result.FAILED, text="a\x00b\x1b\ud800")
    a_run(store, PATCH_WEB, {"web-01": Ended(odd)}, at=OCTOBER.starts, verdict=Verdict.FAILED)

    text = to_json(report_of(store))

    assert json.loads(text)["summary"]["hosts"]["in_scope"] == 1
    assert b"\x00" not in text
    assert b"\x1b" not in text
    assert to_html(text)


def test_an_empty_period_makes_a_sensible_page(store: Store) -> None:
    page = page_of(report_of(store))

    reading = Reading(page)
    assert (reading.unclosed, reading.open) == ([], [])
    assert "No maintenance was planned in this period, and none was run." in page
    assert "No ticket was live in this period." in page
    assert "No rule was overruled in this period." in page
