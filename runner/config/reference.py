"""The file reference, written from the models: every key, what it is, its default, and what is known but not built yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from runner.config import not_yet
from runner.config.models import causes, health, own_ansible, report, schedule, settings, windows
from runner.config.models.shape import Shape
from runner.config.wording import as_yaml
from runner.domain.execution.schedule import Amount
from runner.domain.time.duration import describe

_HEAD = """\
# The files

Everything that a team decides is a file below one folder, the *maintenance repository*; it is the folder with a `wellkept.yml`. `wellkept validate` checks all
files and shows every problem at once, each with its place and the way out. A file's kind is its first top-level key. All paths are relative to the folder of
`wellkept.yml`.

YAML reads an unquoted `22:00` as the number 1320 and `no` as false: quote times and such words. Durations are `45m`, `4h`, `14d`, `2w` or `1h30m`;
amounts of hosts are a number or a percentage such as `25%`. Unknown and duplicate keys are errors.

A working set of files lies in [files/working](files/working), and the whole language, also what is not supported yet, in [files/example](files/example).

This page is generated from the program; `python -m runner.config.reference` prints it.
"""
# The order of the page: a heading, the keys that lead there, and the model.
_SECTIONS: tuple[tuple[str, str, type[Shape]], ...] = (
    ("wellkept.yml", "", settings.SettingsFile),
    ("defaults", "defaults:", settings.Defaults),
    ("an inventory", "inventories: NAME:", settings.Inventory),
    ("ansible", "ansible:", own_ansible.Ansible),
    ("secrets", "secrets:", settings.Secrets),
    ("a secret", "secrets: vault: ID: (or become: or login: PATTERN:)", settings.Secret),
    ("a person", "people: NAME:", settings.Person),
    ("a team", "teams: NAME:", settings.Team),
    ("a service", "services: NAME:", settings.Service),
    ("boundaries", "boundaries:", settings.Boundaries),
    ("hosts that nothing may change", "an item of boundaries: never:", settings.Never),
    ("how often upgrades come", "boundaries: upgrade_at_least:", settings.UpgradeAtLeast),
    ("alerts", "alerts:", settings.Alerts),
    ("an Alertmanager", "alerts: alertmanager:", settings.Alertmanager),
    ("tickets", "tickets:", settings.Tickets),
    ("signing", "signing:", settings.Signing),
    ("A file of windows", "", windows.WindowsFile),
    ("a window", "windows: NAME:, or window: in a schedule", windows.Window),
    ("a calendar", "calendars: NAME:", windows.Calendar),
    ("the holidays of a calendar", "holidays:", windows.HolidaysOf),
    ("a freeze of every year", "an item of freezes:", windows.FreezeEveryYear),
    ("a freeze between two instants", "an item of freezes:", windows.FreezeBetween),
    ("a freeze by events", "an item of freezes:", windows.FreezeByEvents),
    ("a freeze on holidays", "an item of freezes:", windows.FreezeOnHolidays),
    ("what a freeze applies to", "applies_to:", windows.AppliesTo),
    ("A schedule", "", schedule.ScheduleFile),
    ("its change", "change:", schedule.Change),
    ("a ring before it", "an item of requires:", schedule.Requirement),
    ("a wave", "an item of waves:", schedule.Wave),
    ("what is done on failure", "on_failure:", schedule.OnFailure),
    ("another attempt", "on_failure: retry:", schedule.Retry),
    ("A file of health checks", "", health.HealthFile),
    ("a check with probe: tcp", "health: NAME:", health.TcpCheck),
    ("a check with probe: ssh", "health: NAME:", health.SshCheck),
    ("a check with probe: http", "health: NAME:", health.HttpCheck),
    ("A file of causes", "", causes.CausesFile),
    ("a rule", "an item of causes:", causes.CauseRule),
    ("its words", "words:", causes.Words),
    ("A report", "", report.ReportFile),
    ("its scope", "scope:", report.Scope),
)


def file_reference() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_HEAD, *(line for section in _SECTIONS for line in _section(*section))]).rstrip() + "\n"


def _section(heading: str, where: str, model: type[Shape]) -> Iterator[str]:
    """One model: its sentence, a table of its keys, and its keys that are not built yet."""
    yield f"{'###' if where else '##'} {heading}\n"
    said = " ".join((model.__doc__ or "").split())
    yield f"{said} Stands below `{where}`\n" if where else f"{said}\n"
    yield "| key | what it is | when left out |"
    yield "|---|---|---|"
    yield from (_row(field.alias or name, field) for name, field in model.model_fields.items())
    yield ""
    if later := _later(model.__name__):
        yield f"Not supported yet: {', '.join(later)}.\n"


def _row(key: str, field: FieldInfo) -> str:
    """One key: its description, an example, and its default."""
    words = _words(field.annotation)
    choice = [f"one of {', '.join(f'`{word}`' for word in words)}"] if len(words) > 1 else []
    examples = [f"such as `{key}: {as_yaml(example)}`" for example in (field.examples or [])[:1] if not choice]
    text = "; ".join([field.description or "", *choice, *examples]).replace("|", "\\|")
    return f"| `{key}` | {text} | {_default(field)} |"


def _words(annotation: object) -> tuple[object, ...]:
    """The words that a key, or a list below it, is limited to."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(word for branch in get_args(annotation) for word in _words(branch))


def _default(field: FieldInfo) -> str:
    """What counts when a key is left out, in a word."""
    if field.is_required():
        return "an error"
    default: Any = field.default
    if default is None or default is PydanticUndefined:
        return ""
    if isinstance(default, timedelta):
        return f"`{describe(default)}`"
    if isinstance(default, Amount):
        return f"`{default}`"
    return f"`{str(default).lower() if isinstance(default, bool) else as_yaml(default)}`"


def _later(model: str) -> list[str]:
    """Keys, and values of keys, of a model that are known but not built."""
    keys = [f"`{key}`" for key in not_yet.KEYS.get(model, ())]
    values = [
        f"`{key}: {value}`" for (owner, key), several in not_yet.VALUES.items() if owner == model for value in several
    ]
    return keys + values


if __name__ == "__main__":
    import sys

    sys.stdout.write(file_reference())
