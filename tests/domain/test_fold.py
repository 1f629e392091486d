"""Events of a piece add up to one result per host; whatever comes, never to a false green."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.fold import WORDS_KEPT, PieceFold, cut_off, timed_out
from runner.domain.execution.outcome import Event, EventKind, NotRun, Result
from runner.domain.execution.run import Stage
from tests.domain.runs import START

WEB, DB = "web-01", "db-01"
HOST_KINDS = [EventKind.HOST_OK, EventKind.HOST_FAILED, EventKind.HOST_UNREACHABLE, EventKind.HOST_SKIPPED]


def an_event(kind: EventKind, host: str = "", **changes: object) -> Event:
    event = Event(0, 0, kind, START, host=host, module="ansible.builtin.apt" if host else "")
    return replace(event, **changes)  # type: ignore[arg-type]


def stats(**recaps: dict[str, int]) -> Event:
    return an_event(EventKind.STATS, stats={host.replace("_", "-"): recap for host, recap in recaps.items()})


END = an_event(EventKind.END, status="successful", exit_code=0)
WELL = {"ok": 3, "changed": 0, "failures": 0, "unreachable": 0}


def folded(*events: Event, hosts: tuple[str, ...] = (WEB, DB), numbers: Sequence[int] = ()) -> PieceFold:
    fold = PieceFold(hosts, Stage.APPLY)
    for number, event in zip(numbers or range(1, len(events) + 1), events, strict=True):
        fold.add(replace(event, number=number, offset=number))
    return fold


def test_a_host_that_ended_well_is_ok_and_one_that_changed_is_changed() -> None:
    fold = folded(
        an_event(EventKind.HOST_OK, WEB),
        an_event(EventKind.HOST_OK, DB, changed=True),
        stats(web_01=WELL, db_01={**WELL, "changed": 1}),
        END,
    )

    results = fold.results()

    assert {host: result.result for host, result in results.items()} == {WEB: Result.OK, DB: Result.CHANGED}
    assert fold.complete


def test_a_failure_that_the_playbook_rescued_is_none() -> None:
    fold = folded(an_event(EventKind.HOST_FAILED, WEB, text="no"), stats(web_01={**WELL, "rescued": 1}), END)

    assert fold.results()[WEB].result is Result.OK


def test_an_ignored_failure_is_none_even_before_the_stats() -> None:
    fold = folded(an_event(EventKind.HOST_FAILED, WEB, text="no", ignored=True))

    assert WEB not in fold.results()


def test_a_failure_that_only_the_recap_tells_of_is_a_failure_all_the_same() -> None:
    fold = folded(an_event(EventKind.HOST_OK, WEB), stats(web_01={**WELL, "failures": 1}), END)

    result = fold.results()[WEB]

    assert (result.result, result.touched) == (Result.FAILED, True)
    assert "was not heard" in result.text


def test_a_host_that_only_the_recap_calls_unreachable_is_unreachable() -> None:
    fold = folded(stats(web_01={**WELL, "ok": 0, "unreachable": 1}), END)

    assert fold.results()[WEB].result is Result.UNREACHABLE
    assert not fold.results()[WEB].touched


def test_gathering_facts_does_not_touch_a_host() -> None:
    gathered = an_event(EventKind.HOST_OK, WEB, module="ansible.builtin.setup")
    lost = an_event(EventKind.HOST_UNREACHABLE, WEB, text="Connection timed out")

    fold = folded(gathered, lost, stats(web_01={**WELL, "unreachable": 1}), END)

    assert not fold.results()[WEB].touched


def test_a_host_without_recap_is_in_no_play() -> None:
    fold = folded(stats(web_01=WELL), END)

    assert fold.results()[DB].reason is NotRun.NOT_IN_PLAYBOOK


def test_without_the_final_stats_nobody_is_known_to_be_well() -> None:
    fold = folded(an_event(EventKind.HOST_OK, WEB, changed=True))

    assert fold.results() == {}
    assert not fold.complete


def test_after_a_soft_stop_nobody_is_known_to_be_done() -> None:
    fold = folded(an_event(EventKind.SOFT_STOP), an_event(EventKind.HOST_OK, WEB), stats(web_01=WELL), END)

    assert WEB not in fold.results()


def test_ansibles_own_words_are_the_problem_when_it_reached_no_host() -> None:
    fold = folded(
        an_event(EventKind.NOTE, text="ERROR! no role"), an_event(EventKind.END, status="failed", exit_code=4)
    )

    assert fold.problem == "ERROR! no role"


def test_a_failure_on_a_host_is_no_configuration_problem() -> None:
    fold = folded(an_event(EventKind.HOST_FAILED, WEB), an_event(EventKind.END, status="failed", exit_code=2))

    assert fold.problem is None


def test_an_ansible_that_ended_without_a_word_tells_its_exit_code() -> None:
    fold = folded(an_event(EventKind.END, status="failed", exit_code=250))

    assert fold.problem == "Ansible ended with exit code 250 before it reached a host"


def test_at_the_time_limit_whoever_was_not_done_failed_by_it() -> None:
    fold = folded(an_event(EventKind.HOST_FAILED, WEB, text="dpkg: error"))
    known = fold.results()

    late = timed_out(fold.hosts, known)

    assert set(late) == {DB}
    assert (late[DB].result, late[DB].cause) == (Result.FAILED, "time_out")


def test_at_a_cancel_whoever_was_not_done_is_in_doubt_by_it() -> None:
    fold = folded(an_event(EventKind.HOST_FAILED, WEB, text="dpkg: error"))
    known = fold.results()

    left = cut_off(fold.hosts, known)

    assert set(left) == {DB}
    assert (left[DB].result, left[DB].cause) == (Result.IN_DOUBT, "cancelled_by_us")


HOST_EVENTS = st.builds(
    an_event,
    st.sampled_from(HOST_KINDS),
    st.sampled_from([WEB, DB, "elsewhere"]),
    changed=st.booleans(),
    ignored=st.booleans(),
    text=st.sampled_from(["", "it broke"]),
    module=st.sampled_from(["ansible.builtin.apt", "setup"]),
)
COUNTS = st.fixed_dictionaries(
    {
        "ok": st.integers(0, 2),
        "changed": st.integers(0, 2),
        "failures": st.integers(0, 2),
        "unreachable": st.integers(0, 1),
    }
)
RECAPS = st.dictionaries(st.sampled_from([WEB, DB]), st.one_of(COUNTS, st.just({})))
OTHER_EVENTS = st.one_of(
    st.just(END),
    st.just(an_event(EventKind.SOFT_STOP)),
    st.builds(lambda recaps: an_event(EventKind.STATS, stats=recaps), RECAPS),
    st.builds(lambda text: an_event(EventKind.NOTE, text=text), st.text(max_size=5)),
    st.builds(lambda play: an_event(EventKind.NO_HOSTS, play=play), st.sampled_from(["a", "b"])),
)
EVENTS = st.lists(st.one_of(HOST_EVENTS, OTHER_EVENTS), max_size=25)


@given(EVENTS)
def test_no_host_is_well_that_a_failure_counts_for(events: list[Event]) -> None:
    fold = folded(*events)

    for host, result in fold.results().items():
        recap = (fold.stats or {}).get(host, {})
        heard = [e for e in events if e.host == host and not e.ignored and e.kind is EventKind.HOST_FAILED]
        lost = [e for e in events if e.host == host and e.kind is EventKind.HOST_UNREACHABLE]
        counted = recap.get("failures") or recap.get("unreachable") or (not recap and (heard or lost))
        assert not (counted and result.result.is_good)


@given(EVENTS)
def test_nobody_is_well_before_the_final_stats_name_them(events: list[Event]) -> None:
    fold = folded(*events)

    good = {host for host, result in fold.results().items() if result.result.is_good}

    assert good <= {host for host, recap in (fold.stats or {}).items() if recap}


@given(EVENTS, st.data())
def test_any_lost_or_repeated_event_makes_the_record_incomplete(events: list[Event], data: st.DataObject) -> None:
    whole = [*events, stats(web_01=WELL), END]
    numbers = list(range(1, len(whole) + 1))
    at = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.sampled_from([1, -1, 7]))

    broken = folded(*whole, numbers=[n + change if i >= at else n for i, n in enumerate(numbers)])

    assert folded(*whole).complete
    assert not broken.complete


@given(EVENTS, st.integers(1, 30))
def test_what_is_remembered_does_not_grow_with_the_number_of_events(events: list[Event], times: int) -> None:
    once, often = folded(*events * 1), folded(*events * (times + 1))

    assert set(often.heard) == set(once.heard)
    assert often.unmatched == once.unmatched
    assert len(often.words) <= WORDS_KEPT


@given(EVENTS)
def test_every_result_that_is_not_run_says_why_and_no_other_does(events: list[Event]) -> None:
    for result in folded(*events).results().values():
        assert (result.result is Result.NOT_RUN) == (result.reason is not None)
