"""The run's verdict, read off the rule aloud: the same list in the same order, over whatever a run may have come to.

The rule: expired (its end was never heard) · cancelled · failed(configuration: no hosts, no play, bad playbook) · halted (budget passed, canary failed, or
none qualified) · failed (no host ended ok or changed and at least one failed, was unreachable or is in_doubt; or the last post-check failed) · degraded (any
planned host not ok or changed, or a play that matched nobody) · succeeded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.execution.next_step import Finish, StartPiece, Stop
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import PlannedWave
from runner.domain.execution.run import PieceRecord, RunRecord, Stage, StopReason, Verdict
from runner.domain.execution.verdict import outcomes_of, over_budget, verdict_of
from tests.domain.runs import ALL, CANARY_THEN_REST, WITH_CHECKS, World, a_plan, a_record, bad, hosts, piece_from

WELL = {Result.OK, Result.CHANGED}
BAD = {Result.FAILED, Result.UNREACHABLE, Result.IN_DOUBT}
ENDS = st.sampled_from(["ok", "changed", "failed", "unreachable", "lost", "silent", "absent", "vetoed", "waiting"])


@dataclass(frozen=True)
class Case:
    """What came of each host, by one word; whether the check afterwards could be made and which hosts it found ill; plays that met nobody; who stopped it."""

    ends: tuple[str, ...]
    ill: frozenset[str] = frozenset()
    uncheckable: bool = False
    unmatched: bool = False
    stopped: StopReason | None = None
    budget: int = 0

    @property
    def hosts(self) -> dict[str, str]:
        return dict(zip(hosts(len(self.ends)), self.ends, strict=True))

    def those(self, *words: str) -> tuple[str, ...]:
        return tuple(host for host, word in self.hosts.items() if word in words)

    @property
    def applied(self) -> tuple[str, ...]:
        return self.those("ok", "changed", "failed", "unreachable", "lost", "silent", "absent")

    @property
    def well(self) -> tuple[str, ...]:
        return self.those("ok", "changed")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ends = tuple(draw(st.lists(ENDS, min_size=1, max_size=6)))
    return Case(
        ends,
        ill=frozenset(draw(st.sets(st.sampled_from(hosts(len(ends)))))),
        uncheckable=draw(st.integers(0, 5)) == 0,
        unmatched=draw(st.booleans()),
        stopped=draw(st.sampled_from([None, *StopReason])),
        budget=draw(st.integers(0, 3)),
    )


def result_of(word: str, host: str) -> HostResult | None:
    match word:
        case "ok" | "changed":
            return HostResult(host, Result(word))
        case "failed":
            return bad(host)
        case "unreachable" | "lost":
            return bad(host, result=Result.UNREACHABLE, touched=word == "lost")
        case "absent":
            return HostResult(host, Result.NOT_RUN, touched=False, reason=NotRun.NOT_IN_PLAYBOOK)
    return None


def record_of(case: Case) -> RunRecord:
    """One wave, one batch: a pre-check, the playbook, and a check afterwards of the hosts that it left well."""
    return a_record(a_plan(len(case.ends), waves=ALL, budget=case.budget), pieces=tuple(pieces_of(case)))


def pieces_of(case: Case) -> Iterator[PieceRecord]:
    if vetoed := case.those("vetoed"):
        yield piece_from(StartPiece(0, 1, Stage.PRE_CHECK, 0, 1, vetoed), {host: bad(host) for host in vetoed})
    if case.applied:
        told = {host: result for host in case.applied if (result := result_of(case.hosts[host], host))}
        step = StartPiece(0, 2, Stage.APPLY, 0, 1, case.applied)
        applied = piece_from(step, told, lost=len(told) < len(case.applied))
        yield replace(applied, unmatched=("Databases",) if case.unmatched else ())
    if case.well:
        checked = {host: bad(host) if host in case.ill else HostResult(host, Result.OK) for host in case.well}
        step = StartPiece(0, 2, Stage.POST_CHECK, 0, 1, case.well)
        check = piece_from(step, {} if case.uncheckable else checked)
        yield replace(check, problem="no such role" if case.uncheckable else None)


def by_the_book(case: Case) -> Verdict:
    """The rule, read aloud, from the words of the case alone."""
    fine = () if case.uncheckable else tuple(host for host in case.well if host not in case.ill)
    check_bad = len(fine) < len(case.well)
    # A host in doubt spends the budget once nothing more is tried there; these were tried once.
    spent = [*case.those("failed", "lost"), *(host for host in case.well if host not in fine)]
    began = case.those("ok", "changed", "failed", "lost", "silent")
    left = case.those("waiting") if case.stopped is not StopReason.NONE_QUALIFIED else ()
    bad_ones = [*spent, *case.those("unreachable", "silent")]
    heard = not case.those("silent")  # a call that was lost tells nothing about its plays
    if case.stopped is StopReason.EXPIRED:
        return Verdict.EXPIRED
    if case.stopped is StopReason.CANCELLED:
        return Verdict.CANCELLED
    if case.stopped is StopReason.CONFIGURATION and not began:
        return Verdict.MISCONFIGURED
    if case.stopped in {StopReason.BUDGET, StopReason.CANARY, StopReason.NONE_QUALIFIED}:
        return Verdict.HALTED
    if case.stopped is StopReason.CONFIGURATION and len(spent) > case.budget:
        return Verdict.HALTED
    if (not fine and bad_ones) or check_bad:
        return Verdict.FAILED
    if len(fine) < len(case.ends) or left or case.stopped is StopReason.CONFIGURATION:
        return Verdict.DEGRADED
    if case.unmatched and heard and case.applied:
        return Verdict.DEGRADED
    return Verdict.SUCCEEDED


@given(cases())
@settings(max_examples=400, deadline=None)
def test_the_verdict_is_the_first_line_of_the_rule_that_fits(case: Case) -> None:
    assert verdict_of(record_of(case), case.stopped) is by_the_book(case)


@given(cases())
def test_a_verdict_is_green_only_when_every_outcome_is(case: Case) -> None:
    outcomes = outcomes_of(record_of(case), case.stopped).values()

    if verdict_of(record_of(case), case.stopped) is Verdict.SUCCEEDED:
        assert all(outcome.result in WELL for outcome in outcomes)
    if verdict_of(record_of(case), case.stopped) is Verdict.FAILED:
        assert any(outcome.result in BAD for outcome in outcomes)


TOLERANT = (PlannedWave("canary", size=2, is_canary=True, tolerates=1), PlannedWave("rest"))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    fates: dict[tuple[Stage, int, str, int], str] = {}
    words = st.sampled_from(["changed"] * 8 + ["failed", "unreachable", "lost"])

    def answers(stage: Stage, step: int, host: str, attempt: int) -> HostResult | None:
        return result_of(fates.setdefault((stage, step, host, attempt), draw(words)), host)

    waves = draw(st.sampled_from([ALL, CANARY_THEN_REST, TOLERANT]))
    plan = a_plan(
        draw(st.integers(1, 8)), waves=waves, concurrency=draw(st.integers(1, 4)), budget=draw(st.integers(0, 3))
    )
    return World(a_record(replace(plan, **WITH_CHECKS)), answers)  # type: ignore[arg-type]


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_a_run_is_halted_exactly_when_its_budget_is_passed_a_canary_failed_or_none_qualified(world: World) -> None:
    ended = world.run()

    stopped = ended.reason if isinstance(ended, Stop) else None
    verdict = verdict_of(world.record, stopped)
    spent = over_budget(world.record)
    nobody = not any(piece.stage is Stage.APPLY for piece in world.record.pieces)  # the playbook was started on no host
    assert (verdict is Verdict.HALTED) is (spent is not None or nobody)
    assert not (isinstance(ended, Finish) and spent)
