"""Health checks at their own cadence, and asked by a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.domain.health import Answer, Check, Condition
from runner.domain.record.record import INSTALLATION
from runner.domain.time.cadence import DAY, begun_in, interval_at
from runner.errors import NotFound, Unknown
from runner.operations.check_health import check_due, check_health
from runner.store import health
from runner.store.record import log
from runner.store.time import cadence
from tests.operations.a_site import Bench
from tests.operations.conftest import Lay

HEALTH = """\
health:
  answers: {probe: ssh, run: "true", hosts: web, every: 5m}
  disk: {probe: ssh, run: "true", hosts: all, every: 1h}
"""


@dataclass
class Asked:
    """Answers well, but for the hosts that are ill."""

    ill: set[str] = field(default_factory=set)
    questions: list[tuple[str, str]] = field(default_factory=list)

    def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
        for host in hosts:
            self.questions.append((check.name, host))
            yield Answer(check.name, host, reached=True, exit_code=int(host in self.ill))


@pytest.fixture
def probe() -> Asked:
    return Asked()


@pytest.fixture
def at_work(lay: Lay, probe: Asked) -> Bench:
    return lay(health=HEALTH).but(probe=probe)


def due_at(bench: Bench, moment: datetime) -> int:
    bench.time.now = moment
    return check_due(bench.site.current(), site=bench.site)


NOON = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
TODAY = NOON.date()


def test_at_first_every_check_is_due(at_work: Bench, probe: Asked) -> None:
    assert due_at(at_work, NOON) == 2
    assert {check for check, _ in probe.questions} == {"answers", "disk"}


def test_a_check_is_put_once_in_each_interval_of_the_clock(at_work: Bench) -> None:
    due_at(at_work, NOON + timedelta(minutes=4))

    assert due_at(at_work, NOON + timedelta(minutes=4, seconds=59)) == 0
    assert due_at(at_work, NOON + timedelta(minutes=5)) == 1
    assert due_at(at_work, NOON + timedelta(minutes=9)) == 0


def test_what_was_missed_is_not_caught_up(at_work: Bench, probe: Asked) -> None:
    due_at(at_work, NOON)
    probe.questions.clear()

    assert due_at(at_work, NOON + timedelta(days=1)) == 2
    assert due_at(at_work, NOON + timedelta(days=1, seconds=2)) == 0
    assert len(probe.questions) == 3 + 5


def test_a_change_is_recorded_once(at_work: Bench, probe: Asked) -> None:
    due_at(at_work, NOON)
    probe.ill = {"web-02"}

    due_at(at_work, NOON + timedelta(minutes=5))
    due_at(at_work, NOON + timedelta(minutes=10))

    bodies = [json.loads(e.body) for e in at_work.site.store.read(lambda c: list(log.entries(c, INSTALLATION)))]
    worse = [b for b in bodies if b["action"] == "health.changed" and b["condition"] != "ok"]
    assert [(b["host"], b["check"], b["was"]) for b in worse] == [("web-02", "answers", "ok")]


def test_a_person_asks_by_check_and_by_host(at_work: Bench, probe: Asked) -> None:
    found = check_health(["answers", "web-03"], site=at_work.site)

    assert [(f.check, f.host) for f in found] == [("answers", "web-03")]


def test_the_worst_comes_first(at_work: Bench, probe: Asked) -> None:
    probe.ill = {"db-01"}

    found = check_health([], site=at_work.site)

    assert found[0].host == "db-01"
    assert found[0].condition is not Condition.OK
    assert len(at_work.site.store.read(health.states)) == 8


def test_a_name_that_nothing_bears_is_refused(at_work: Bench) -> None:
    with pytest.raises(NotFound, match="Neither a health check nor a host of one is named 'wbe'"):
        check_health(["wbe"], site=at_work.site)


def test_an_inventory_that_cannot_be_read_is_no_answer(at_work: Bench) -> None:
    at_work.inventory.hosts, at_work.inventory.errors = (), ("inventory production: the script ended with 1",)

    with pytest.raises(Unknown, match="the script ended with 1"):
        check_health([], site=at_work.site)


def test_a_check_without_any_host_is_put_once_in_each_interval_too(at_work: Bench) -> None:
    at_work.inventory.hosts, at_work.inventory.errors = (), ("inventory production: the script ended with 1",)

    assert due_at(at_work, NOON) == 2
    assert due_at(at_work, NOON + timedelta(seconds=2)) == 0
    assert due_at(at_work, NOON + timedelta(minutes=5)) == 1


def test_what_a_person_asked_takes_no_round_from_the_other_hosts(at_work: Bench, probe: Asked) -> None:
    at_work.time.now = NOON
    check_health(["web-03"], site=at_work.site)
    probe.questions.clear()

    due_at(at_work, NOON + timedelta(seconds=2))

    assert {host for check, host in probe.questions if check == "answers"} == {"web-01", "web-02", "web-03"}


def test_one_check_that_makes_trouble_never_keeps_another(
    at_work: Bench, probe: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    class Falling(Asked):
        def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
            if check.name == "answers":
                raise RuntimeError("the probe fell over")
            return super().ask(check, hosts)

    falling = Falling()

    due_at(at_work.but(probe=falling), NOON)

    assert {check for check, _ in falling.questions} == {"disk"}
    assert "Health check answers could not be put" in caplog.text
    assert counted(at_work, "answers") == (1, 0, 0, 1)


def counted(bench: Bench, check: str, day: date = TODAY) -> tuple[int, int, int, int]:
    """What is kept of one check's day: expected, run, late, missed."""
    days = bench.site.store.read(lambda c: cadence.between(c, day, day + timedelta(days=1)))
    return next((d.expected, d.run, d.late, d.missed) for d in days if d.schedule == f"health:{check}")


def test_each_round_is_counted(at_work: Bench) -> None:
    for minutes in (0, 1, 5, 10, 14):
        due_at(at_work, NOON + timedelta(minutes=minutes))

    assert counted(at_work, "answers") == (3, 3, 0, 0)
    assert counted(at_work, "disk") == (1, 1, 0, 0)


def test_intervals_that_passed_by_while_nobody_was_there_were_missed(at_work: Bench) -> None:
    due_at(at_work, NOON)

    due_at(at_work, NOON + timedelta(minutes=20, seconds=59))

    assert counted(at_work, "answers") == (5, 2, 0, 3)


def test_a_round_that_began_a_minute_after_its_interval_ran_late(at_work: Bench) -> None:
    due_at(at_work, NOON)

    due_at(at_work, NOON + timedelta(minutes=6, seconds=1))

    assert counted(at_work, "answers") == (2, 2, 1, 0)


def test_what_was_missed_over_midnight_is_told_with_each_day(at_work: Bench) -> None:
    due_at(at_work, NOON + timedelta(hours=11))

    due_at(at_work, NOON + timedelta(hours=14))

    assert counted(at_work, "disk") == (1, 1, 0, 0)
    assert counted(at_work, "disk", TODAY + timedelta(days=1)) == (3, 1, 0, 2)


def test_an_inventory_that_cannot_be_read_makes_a_round_a_missed_one(at_work: Bench) -> None:
    at_work.inventory.hosts, at_work.inventory.errors = (), ("inventory production: the script ended with 1",)

    due_at(at_work, NOON)

    assert counted(at_work, "answers") == (1, 0, 0, 1)


def test_a_check_that_went_away_and_came_back_has_missed_nothing(at_work: Bench) -> None:
    file = at_work.site.root / "schedules" / "health.yml"
    due_at(at_work, NOON)
    file.write_text('health:\n  disk: {probe: ssh, run: "true", hosts: all, every: 1h}\n')
    due_at(at_work, NOON + timedelta(minutes=10))
    file.write_text(HEALTH)

    due_at(at_work, NOON + timedelta(minutes=40))

    assert counted(at_work, "answers") == (2, 2, 0, 0)


def test_a_check_whose_cadence_was_changed_is_put_at_once_and_has_missed_nothing(at_work: Bench) -> None:
    due_at(at_work, NOON)
    (at_work.site.root / "schedules" / "health.yml").write_text(HEALTH.replace("1h", "2m"))

    due_at(at_work, NOON + timedelta(minutes=31))

    assert counted(at_work, "disk") == (2, 2, 0, 0)


def test_a_round_that_two_daemons_put_is_counted_once(at_work: Bench) -> None:
    class Overtaken(Asked):
        def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
            due_at(at_work, NOON + timedelta(minutes=10))  # the other one, meanwhile
            return super().ask(check, hosts)

    due_at(at_work, NOON)

    due_at(at_work.but(probe=Overtaken()), NOON + timedelta(minutes=10))

    assert counted(at_work, "answers") == (3, 2, 0, 1)


class Asleep(Asked):
    """Cannot be asked anything."""

    def ask(self, check: Check, hosts: Mapping[str, Mapping[str, object]]) -> Iterator[Answer]:
        raise RuntimeError("the probe fell over")


names = (f"check-{number}" for number in count())
beats = st.lists(
    st.tuples(st.timedeltas(timedelta(0), timedelta(hours=9)), st.booleans()), min_size=1, max_size=8
)  # how long after the last one, and whether the probe falls over


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(beats, st.sampled_from([timedelta(minutes=7), timedelta(hours=1), timedelta(hours=5), timedelta(days=2)]))
def test_whenever_it_beats_what_ran_and_what_was_missed_is_what_was_expected(
    at_work: Bench, beats: list[tuple[timedelta, bool]], every: timedelta
) -> None:
    name, moment = next(names), NOON
    files = at_work.site.current()
    files = replace(files, checks={name: replace(files.checks["disk"], name=name, every=every)})
    for after, falls in beats:
        moment += after
        at_work.time.now = moment
        one = at_work.but(probe=Asleep()) if falls else at_work
        check_due(files, site=one.site)

    days = at_work.site.store.read(lambda c: cadence.between(c, TODAY - 2 * DAY, moment.date() + DAY))
    first, last = interval_at(NOON + beats[0][0], every), interval_at(moment, every)
    mine = {each.day: each for each in days if each.schedule == f"health:{name}"}
    assert all(each.run + each.missed == each.expected and each.late <= each.run for each in mine.values())
    assert all(each.expected <= begun_in(midnight(day), midnight(day) + DAY, every) for day, each in mine.items())
    assert sum(each.expected for each in mine.values()) == (last.ends - first.begins) // every


def midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=UTC)
