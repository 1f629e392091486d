"""From ansible-runner's events to compact records (in the executor), and from records to the domain's events (on our side)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from runner.adapters.ansible.spool import Line
from runner.domain.execution.outcome import Event, EventKind

MOST_TEXT = 4096
LAST_WORDS = 1500  # characters of standard output that are kept beside error output
MOST_OUTPUT = 512 * 1024
SOFT_STOP_WORDS = "wellkept: soft stop"
SHOWS_OUTPUT = frozenset(("raw", "command", "shell"))
NO_TRACEBACK = "(traceback unavailable)"
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
OVERWRITTEN = re.compile(r"[^\n]*\r(?=[^\n])")  # what a progress line showed before it was drawn anew
RECAP = {  # the domain's word: ansible-runner's word
    "ok": "ok",
    "changed": "changed",
    "failures": "failures",
    "unreachable": "dark",
    "skipped": "skipped",
    "rescued": "rescued",
    "ignored": "ignored",
    "processed": "processed",
}
RUNNER_KINDS = {
    "playbook_on_play_start": EventKind.PLAY,
    "playbook_on_task_start": EventKind.TASK,
    "playbook_on_handler_task_start": EventKind.TASK,
    "playbook_on_no_hosts_matched": EventKind.NO_HOSTS,
    "runner_on_start": EventKind.HOST_START,
    "runner_on_ok": EventKind.HOST_OK,
    "runner_on_failed": EventKind.HOST_FAILED,
    "runner_on_unreachable": EventKind.HOST_UNREACHABLE,
    "runner_on_skipped": EventKind.HOST_SKIPPED,
    "playbook_on_stats": EventKind.STATS,
}
NOTES = frozenset(("verbose", "warning", "system_warning", "deprecated", "error"))
RESULTS = frozenset((EventKind.HOST_OK, EventKind.HOST_FAILED, EventKind.HOST_UNREACHABLE))

Record = dict[str, object]
"""What a spool line holds: the fields of a domain event by their names, without those that say nothing."""


class Shaper:
    """Turns ansible-runner's events, in their order, into records; lines that belong to one message become one note."""

    def __init__(self, *, project: PurePath) -> None:
        """Task paths below `project` are told relative to it."""
        self._project = project
        self._note: Record = {}
        self.lost = 0

    def shape(self, event: Mapping[str, Any]) -> Iterator[Record]:
        """The records that are complete with this event: none, one, or a note and one more."""
        name = event.get("event")
        if name in NOTES:
            yield from self._gather(event)
            return
        yield from self.rest()
        if name is None:  # the callback plugin could not write this event's content, e.g. on a full disk
            self.lost += 1
        elif name in RUNNER_KINDS:
            yield self._record(RUNNER_KINDS[name], event)

    def rest(self) -> Iterator[Record]:
        """The note that was being gathered, if any."""
        note, self._note = self._note, {}
        if text := str(note.get("text", "")).strip():
            yield {**note, "text": bounded(text)}

    def _gather(self, event: Mapping[str, Any]) -> Iterator[Record]:
        text = plain(event.get("stdout"))
        if SOFT_STOP_WORDS in " ".join(text.split()):
            yield from self.rest()
            yield self._head(EventKind.SOFT_STOP, event)
        elif self._note:
            self._note["text"] = f"{self._note['text']}\n{text}"[: 4 * MOST_TEXT]
        elif text.strip():
            self._note = {**self._head(EventKind.NOTE, event), "text": text}

    def _head(self, kind: EventKind, event: Mapping[str, Any]) -> Record:
        return {
            "kind": kind.value,
            "at": str(event.get("created") or datetime.now(UTC).isoformat()),
            "counter": event.get("counter"),
        }

    def _record(self, kind: EventKind, event: Mapping[str, Any]) -> Record:
        content = event.get("event_data") or {}
        record = self._head(kind, event) | told_by_task(content, self._project)
        if kind in RESULTS:
            record |= told_by_result(content, plain(event.get("stdout")), failed=kind is not EventKind.HOST_OK)
        if kind is EventKind.STATS:
            record["stats"] = recap(content)
        return {key: value for key, value in record.items() if says_something(value)}


def says_something(value: object) -> bool:
    """Whether a field is worth its place; an exit code of 0 is."""
    return not (value is None or value is False or value == "")


def told_by_task(content: Mapping[str, Any], project: PurePath) -> Record:
    """Which play, task and host an event is about, and how long the task took there."""
    return {
        "host": content.get("host"),
        "play": content.get("play"),
        "task": content.get("task"),
        "task_path": relative(content.get("task_path"), project),
        "module": content.get("resolved_action") or content.get("task_action"),
        "role": content.get("role"),
        "seconds": content.get("duration"),
    }


def told_by_result(content: Mapping[str, Any], shown: str, *, failed: bool) -> Record:
    """What a module answered; `shown` is what Ansible printed, the only place where a `no_log` result still says whether it changed something."""
    result = content.get("res") or {}
    module = str(content.get("resolved_action") or content.get("task_action") or "").rpartition(".")[2]
    censored = "censored" in result
    return {
        "changed": bool(result.get("changed")) or (censored and shown.startswith("changed:")),
        "ignored": bool(content.get("ignore_errors")),
        "exit_code": exit_code(result),
        "text": readable(result, failed=failed),
        "output": plain(result.get("stdout"))[:MOST_OUTPUT] if module in SHOWS_OUTPUT and not censored else "",
    }


def exit_code(result: Mapping[str, Any]) -> int | None:
    """The exit code, or that of the first item of a loop that failed."""
    found = [result.get("rc"), *(item.get("rc") for item in failed_items(result))]
    return next((code for code in found if isinstance(code, int)), None)


def failed_items(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items of a loop that failed or were unreachable."""
    items = result.get("results")
    if not isinstance(items, list):
        return []
    return [item for item in items if isinstance(item, dict) and (item.get("failed") or item.get("unreachable"))]


def readable(result: Mapping[str, Any], *, failed: bool) -> str:
    """One message for people: what the module says, and for a failure its error output and each failed item, without repetition."""
    if "censored" in result:
        return str(result["censored"])
    parts = [words(result.get("msg"))]
    if failed:
        parts += [tail(error_output(result)), last_line(result.get("exception"))]
        parts += [f"{item_label(item)}: {readable(item, failed=True)}" for item in failed_items(result)]
    kept: list[str] = []
    for part in filter(None, (plain(part).strip() for part in parts)):
        if not any(part in known for known in kept):
            kept.append(part)
    return bounded("\n".join(kept))


def error_output(result: Mapping[str, Any]) -> str:
    """What a failed program wrote: the end of its standard output, where package managers say why, then its error output."""
    errors, output = (first_of(result, name) for name in ("stderr", "stdout"))
    if not errors:
        return output
    return f"{output[-LAST_WORDS:]}\n{errors}" if result.get("rc") and output else errors


def first_of(result: Mapping[str, Any], stream: str) -> str:
    """What the task, or else its module, wrote to one stream."""
    return next(
        (text for text in (plain(result.get(name)).strip() for name in (stream, f"module_{stream}")) if text), ""
    )


def item_label(item: Mapping[str, Any]) -> str:
    """The name of a loop's item, short."""
    return words(item.get("_ansible_item_label", item.get(str(item.get("ansible_loop_var", "item")), "item")))[:120]


def words(value: object) -> str:
    """A module's message, which may be a list."""
    if isinstance(value, (list, tuple)):
        return "\n".join(str(line) for line in value)
    return "" if value is None else str(value)


def last_line(trace: object) -> str:
    """The line of a traceback that names the error."""
    lines = [] if trace in (None, "", NO_TRACEBACK) else str(trace).strip().splitlines()
    return lines[-1].strip() if lines else ""


def plain(text: object) -> str:
    """Text as it would stand on a screen in the end: no colours, no carriage returns, of a progress line only its last state."""
    if not isinstance(text, str):
        return ""
    lines = COLOURS.sub("", text).replace("\r\n", "\n")
    return OVERWRITTEN.sub("", lines).replace("\r", "") if "\r" in lines else lines


def tail(text: str) -> str:
    """The end of a long text, where errors are."""
    return text if len(text) <= MOST_TEXT - 1024 else "[…] " + text[-(MOST_TEXT - 1024) :]


def bounded(text: str) -> str:
    """The text, at most 4096 characters of it."""
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 4] + " […]"


def relative(path: object, project: PurePath) -> str:
    """A task's `file:line`, relative to the project where it lies below it: the project's own place changes from snapshot to snapshot."""
    return str(path or "").removeprefix(f"{project}/")


def recap(content: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The final play stats, by host."""
    counted = {name: content.get(word) or {} for name, word in RECAP.items()}
    return {host: {name: counted[name].get(host, 0) for name in RECAP} for host in counted["processed"]}


def event_of(line: Line) -> Event:
    """The domain's event that a spool line stands for."""
    record: dict[str, Any] = {**line.record}
    kind, at = EventKind(record.pop("kind")), datetime.fromisoformat(record.pop("at"))
    return Event(number=line.number, offset=line.offset, kind=kind, at=at, **record)
