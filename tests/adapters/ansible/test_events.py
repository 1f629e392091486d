"""ansible-runner's events become compact records that a person can read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runner.adapters.ansible.events import MOST_OUTPUT, MOST_TEXT, Shaper, event_of, readable
from runner.adapters.ansible.spool import Line
from runner.domain.execution.outcome import Event, EventKind

AT = "2026-11-22T19:53:16.750834+00:00"


def shaped(*raw: dict[str, Any], project: str = "/snapshot") -> list[Event]:
    shaper = Shaper(project=Path(project))
    records = [record for each in raw for record in shaper.shape({"created": AT, **each})] + list(shaper.rest())
    lines = [Line(number, number * 10, json.loads(json.dumps(record))) for number, record in enumerate(records, 1)]
    return [event_of(line) for line in lines]


def result(event: str = "runner_on_failed", *, res: dict[str, Any], stdout: str = "", **content: Any) -> dict[str, Any]:
    told = {
        "host": "web-01",
        "task": "Upgrade",
        "play": "web",
        "task_action": "apt",
        "resolved_action": "ansible.builtin.apt",
        **content,
    }
    return {"event": event, "counter": 7, "stdout": stdout, "event_data": {**told, "res": res}}


def test_a_failed_task_tells_where_what_and_how_long() -> None:
    raw = result(
        res={"msg": "non-zero return code", "rc": 100, "stderr": "E: broken\r\n", "changed": False},
        task_path="/snapshot/roles/patch/tasks/main.yml:12",
        role="patch",
        duration=2.5,
    )

    (event,) = shaped(raw)

    assert (event.kind, event.host, event.task, event.role) == (EventKind.HOST_FAILED, "web-01", "Upgrade", "patch")
    assert (event.module, event.task_path) == ("ansible.builtin.apt", "roles/patch/tasks/main.yml:12")
    assert (event.exit_code, event.seconds, event.counter) == (100, 2.5, 7)
    assert event.text == "non-zero return code\nE: broken"
    assert event.at == datetime(2026, 11, 22, 19, 53, 16, 750834, UTC)


def test_a_failure_that_the_playbook_ignores_says_so() -> None:
    (event,) = shaped(result(res={"msg": "x"}, ignore_errors=True))

    assert event.ignored


def test_a_loop_tells_each_item_that_failed_and_no_other() -> None:
    items = [
        {"item": "a", "ansible_loop_var": "item", "_ansible_item_label": "a", "failed": False, "stdout": "fine"},
        {
            "item": "b",
            "ansible_loop_var": "item",
            "_ansible_item_label": "b",
            "failed": True,
            "msg": "no room",
            "rc": 3,
        },
    ]

    events = shaped(
        {"event": "runner_item_on_failed", "counter": 6, "event_data": {}},
        result(res={"msg": "One or more items failed", "results": items}),
    )

    (event,) = events
    assert event.text == "One or more items failed\nb: no room"
    assert event.exit_code == 3


def test_a_traceback_is_told_by_its_last_line() -> None:
    text = readable({"msg": "MODULE FAILURE", "exception": "Traceback\n  File x\nKeyError: 'name'\n"}, failed=True)

    assert text == "MODULE FAILURE\nKeyError: 'name'"


def test_output_is_kept_only_for_raw_command_and_shell() -> None:
    raw = result(
        "runner_on_ok", res={"stdout": "x" * (MOST_OUTPUT + 5), "changed": True}, resolved_action="ansible.builtin.raw"
    )
    apt = result("runner_on_ok", res={"stdout": "Reading package lists"})

    kept, left_out = shaped(raw, apt)

    assert len(kept.output) == MOST_OUTPUT
    assert kept.changed
    assert left_out.output == ""


def test_a_hidden_result_stays_hidden_and_still_tells_whether_it_changed_something() -> None:
    raw = result(
        "runner_on_ok",
        res={"censored": "the output has been hidden"},
        stdout="\x1b[0;33mchanged: [web-01]\x1b[0m",
        resolved_action="command",
    )

    (event,) = shaped(raw)

    assert event.changed
    assert event.text == "the output has been hidden"
    assert event.output == ""


def test_of_a_progress_line_only_its_last_state_is_told() -> None:
    drawn = "Fetching\r\n(Reading database ... \r(Reading database ... 5%\r(Reading database ... 20 files)\r\r\nDone\r"

    assert readable({"stderr": drawn}, failed=True) == "Fetching\n(Reading database ... 20 files)\nDone"


def test_lines_that_belong_to_one_message_become_one_note_without_colours() -> None:
    raw = [
        {
            "event": "verbose",
            "counter": 1,
            "stdout": "\x1b[0;31m[ERROR]: 'tsks' is not a valid attribute for a Play\x1b[0m",
        },
        {"event": "verbose", "counter": 2, "stdout": "\x1b[0;31m\x1b[0m"},
        {"event": "verbose", "counter": 3, "stdout": "Origin: syn.yml:2:3"},
    ]

    (event,) = shaped(*raw)

    assert event.kind is EventKind.NOTE
    assert event.text == "[ERROR]: 'tsks' is not a valid attribute for a Play\n\nOrigin: syn.yml:2:3"
    assert event.counter == 1


def test_a_note_comes_before_the_event_that_followed_it() -> None:
    events = shaped(
        {"event": "warning", "stdout": "[WARNING]: x"},
        {"event": "playbook_on_no_hosts_matched", "event_data": {"play": "db"}},
    )

    assert [event.kind for event in events] == [EventKind.NOTE, EventKind.NO_HOSTS]
    assert events[1].play == "db"


def test_the_warning_of_our_callback_is_the_soft_stop() -> None:
    (event,) = shaped(
        {"event": "warning", "stdout": "\x1b[1;35m[WARNING]: wellkept: soft\r\nstop, no further task is started\x1b[0m"}
    )

    assert event.kind is EventKind.SOFT_STOP


def test_the_play_recap_names_each_host_with_its_counts() -> None:
    content = {"ok": {"a": 2}, "changed": {"a": 1}, "dark": {"b": 1}, "failures": {}, "processed": {"a": 1, "b": 1}}

    (event,) = shaped({"event": "playbook_on_stats", "counter": 9, "event_data": content})

    assert event.stats["a"]["ok"] == 2
    assert event.stats["b"]["unreachable"] == 1
    assert set(event.stats) == {"a", "b"}


def test_an_event_without_its_content_is_counted_as_lost() -> None:
    shaper = Shaper(project=Path("/snapshot"))

    records = list(shaper.shape({"uuid": "1", "counter": 3, "created": AT}))

    assert records == []
    assert shaper.lost == 1


@given(
    res=st.dictionaries(
        st.sampled_from(["msg", "stderr", "stdout", "rc", "exception", "results", "changed", "censored"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=6,
        ),
    )
)
def test_whatever_a_module_answers_there_is_a_bounded_text(res: dict[str, Any]) -> None:
    (event,) = shaped(result(res=res))

    assert len(event.text) <= MOST_TEXT
