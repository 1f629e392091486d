"""Schemas are for editors: what `validate` accepts they accept, and the plain mistakes they refuse."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from runner.adapters.calendars import Calendars
from runner.config import check
from runner.config.files import KINDS, kind_of, read_files
from runner.config.schemas import DIALECT, schema
from runner.errors import UsageError

TOP = Path(__file__).parents[2]
REPOSITORIES = [TOP, TOP / "docs/reference/files/working"]


class Plain(yaml.SafeLoader):
    """Reads dates as text, as editors and the program do."""


Plain.yaml_implicit_resolvers = {
    first: [(tag, found) for tag, found in several if tag != "tag:yaml.org,2002:timestamp"]
    for first, several in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def files() -> Iterator[Path]:
    """Every file of definitions of the starter and of the working set."""
    for root in REPOSITORIES:
        settings = root / "wellkept.yml"
        yield from [settings] if settings.exists() else []
        yield from (path for folder in ("schedules", "reports") for path in sorted((root / folder).glob("*.yml")))


def says(kind: str, text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema(kind))
    return [error.message for error in validator.iter_errors(yaml.load(text, Loader=Plain))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_valid_and_names_its_dialect(kind: str) -> None:
    generated = schema(kind)

    jsonschema.Draft202012Validator.check_schema(generated)
    assert generated["$schema"] == DIALECT
    assert generated["additionalProperties"] is False
    assert "null" not in str(generated)


@pytest.mark.parametrize("path", list(files()), ids=lambda path: str(path.relative_to(TOP)))
def test_a_starter_file_fits_its_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    folder = path.name if path.name == "wellkept.yml" else path.parent.name

    assert says(kind_of(yaml.safe_load(text), folder), text) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("schedule", "playbook: x\nhosts: y\nwindow: z\nfailure_budget: 0\n"),
        ("schedule", "playbook: x\nhosts: y\nwindow: always\nwaves: [{name: a, size: 3}, {name: b, size: 2.5 %}]\n"),
        ("schedule", "playbook: x\nhosts: y\nwindow: {day: [sat, sun], start: '22:00:30', duration: 1w2d}\ntitle: T\n"),
        ("schedule", "schedule: a\nkind: manual\ntitle: T\nwindow: z\n"),
        ("windows", "windows: {a: {day: day 15, start: '00:00', until: '00:00', months: [sept], cutoff: 0m, timezone: UTC}}\n"),
        ("windows", "freezes: [{name: x, every_year: 02-29..02-29, allow: []}, {name: y, from: '2026-01-01T00:00Z', to: '20260102T0000Z'}]\n"),
        ("health", "health: {a: {probe: ssh, run: x, hosts: a, every: 90s, number: '(x)', warn: '>-5', fail: ' != 3.5'}}\n"),
        ("report", "report: x\nedition: auditor\nperiod: 2026-10-01..2026-10-15\ntitle: T\n"),
        ("settings", "format: 1\norganisation: x\ninventories: {a: {source: 'b,', max_drop: 100%}}\ntitle_is_no_key: 1\n"),
    ],
)  # fmt: skip
def test_schema_and_validate_agree_on_unusual_files(kind: str, text: str, tmp_path: Path) -> None:
    name = {"settings": "wellkept.yml", "report": "reports/x.yml"}.get(kind, "schedules/x.yml")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")

    document = next((found for found in read_files(tmp_path).documents if found.source.file == name), None)

    assert document is not None
    assert (document.model is not None) == (says(kind, text) == [])
    assert (document.model is None) == ("title_is_no_key" in text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("schedule", "playbook: x\nhosts: y\n"),
        ("schedule", "playbook: x\nhosts: y\nwindow: z\nefect: change\n"),
        ("schedule", "playbook: x\nwindow: z\n"),
        ("schedule", "schedule: x\nkind: manual\ntitle: T\nplaybook: x\nwindow: z\n"),
        ("schedule", "playbook: x\nhosts: y\nwindow: {day: daily, start: 22:00, duration: 4h}\n"),
        ("windows", "windows: {a: {day: daily, start: '22:00', duration: 240}}\n"),
        ("windows", "windows: {a: {rrule: FREQ=DAILY, start: '22:00', duration: 4h}}\n"),
        ("windows", "windows: {'a b': {day: daily, start: '22:00', duration: 4h}}\n"),
        ("health", "health: {a: {probe: tls, hosts: a, every: 1m}}\n"),
        ("settings", "format: 1\norganisation: x\nsecrets: {vault: {a: literal}}\n"),
        ("report", "report: x\nedition: audito\nperiod: last_month\n"),
    ],
)
def test_plain_mistakes_show_in_an_editor(kind: str, text: str) -> None:
    assert says(kind, text) != []


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="Known: causes, health, report, schedule, settings, windows"):
        schema("shedule")


@pytest.mark.parametrize("root", [root for root in REPOSITORIES if (root / "wellkept.yml").exists()], ids=str)
def test_the_files_that_we_ship_have_no_error(root: Path) -> None:
    _, problems = check(root, environ={}, today=date(2026, 1, 15), sources=Calendars())

    assert [str(problem) for problem in problems if problem.severity == "error"] == []


WORK = "playbook: playbooks/patch.yml\nhosts: web\n"


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ("effect: read_only\nevery: 1h\n", True),
        ("window: always\neffect: read_only\n", True),
        ("every: 1h\n", False),
        ("effect: change\nevery: 1h\n", False),
        ("effect: read_only\n", False),
        ("effect: read_only\nevery: 1h\nwindow: always\n", False),
        ("effect: read_only\nevery: 1h\ncatch_up: none\n", False),
    ],
)
def test_a_schedule_has_a_window_or_changes_nothing_and_has_a_cadence(more: str, fits: bool) -> None:
    assert (says("schedule", WORK + more) == []) is fits


def test_a_duty_has_a_window_and_no_cadence() -> None:
    assert says("schedule", "kind: manual\ntitle: Drill\nwindow: monday-morning\n") == []
    assert says("schedule", "kind: manual\ntitle: Drill\n") != []
    assert says("schedule", "kind: manual\ntitle: Drill\nwindow: monday-morning\nevery: 1d\n") != []
