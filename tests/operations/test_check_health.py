"""Health checks at their own cadence, and asked by a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from runner.domain.health import Answer, Check, Condition
from runner.domain.record.record import INSTALLATION
from runner.errors import NotFound, Unknown
from runner.operations.check_health import Place, check_due, check_health, interval_of, is_due
from runner.store import health
from runner.store.record import log
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


def due_at(bench: Bench, moment: datetime, asked: dict[Place, datetime] | None = None) -> int:
    bench.time.now = moment
    return check_due(bench.site.current(), site=bench.site, asked={} if asked is None else asked)


NOON = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)


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


def test_a_clock_that_was_set_back_asks_nothing_twice() -> None:
    check = Check("c", probe="ssh", hosts="all", every=timedelta(minutes=5), inventory="p")  # type: ignore[arg-type]

    assert not is_due(check, NOON, now=NOON - timedelta(hours=1))
    assert interval_of(NOON, check.every) == interval_of(NOON + timedelta(seconds=299), check.every)


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
    asked: dict[Place, datetime] = {}
    at_work.inventory.hosts, at_work.inventory.errors = (), ("inventory production: the script ended with 1",)

    assert due_at(at_work, NOON, asked) == 2
    assert due_at(at_work, NOON + timedelta(seconds=2), asked) == 0
    assert due_at(at_work, NOON + timedelta(minutes=5), asked) == 1


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
