"""Run records for tests: a plan, and a simulated world that answers each piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from runner.domain.execution.next_step import Finish, NextStep, StartPiece, Stop, Wait, next_step
from runner.domain.execution.outcome import HostResult, NotRun, Result
from runner.domain.execution.plan import LOOK, PlannedWave, RunPlan, Step, StepKind
from runner.domain.execution.run import PieceRecord, PieceState, RunRecord, Stage

START = datetime(2026, 3, 21, 22, 0, tzinfo=UTC)
ALL = (PlannedWave("all"),)
CANARY_THEN_REST = (PlannedWave("canary", size=1, is_canary=True), PlannedWave("rest"))

Answers = Callable[[Stage, int, str, int], HostResult | None]


def hosts(number: int) -> tuple[str, ...]:
    return tuple(f"web-{position:02d}" for position in range(1, number + 1))


def a_plan(number: int = 5, **changes: object) -> RunPlan:
    plan = RunPlan(
        schedule="patch-web",
        title="Patches",
        inventory="production",
        playbook="playbooks/patch.yml",
        hosts=hosts(number),
        waves=CANARY_THEN_REST,
        concurrency=10,
        budget=0,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def a_record(plan: RunPlan | None = None, **changes: object) -> RunRecord:
    return replace(RunRecord("run-1", plan or a_plan()), **changes)  # type: ignore[arg-type]


def well(stage: Stage, step: int, host: str, attempt: int) -> HostResult:
    return HostResult(host, Result.CHANGED if stage is Stage.APPLY else Result.OK)


def bad(host: str, **changes: object) -> HostResult:
    return replace(HostResult(host, Result.FAILED, cause="unknown", text="it broke"), **changes)  # type: ignore[arg-type]


def answering(special: Mapping[tuple[Stage, str], HostResult | None]) -> Answers:
    """Everything goes well but for the named (stage, host) pairs; None means that the piece dies before it answers for that host."""
    return lambda stage, step, host, attempt: (
        special[stage, host] if (stage, host) in special else well(stage, step, host, attempt)
    )


@dataclass
class World:
    """Does what next_step says and answers with `answers`, one minute a piece; keeps what it did."""

    record: RunRecord
    answers: Answers = well
    now: datetime = START
    done: list[StartPiece] = field(default_factory=list)
    duration: timedelta = timedelta(minutes=1)
    problem_of: Callable[[StartPiece], str | None] = lambda step: None

    def step(self) -> NextStep:
        step = next_step(self.record, now=self.now)
        if isinstance(step, StartPiece):
            self.done.append(step)
            self.record = replace(self.record, pieces=(*self.record.pieces, self.answered(step)))
        elif isinstance(step, Wait):
            assert step.until is not None, "nothing is in flight in this world"
            assert step.until > self.now, "a wait must end later than now"
            self.now = step.until
        return step

    def answered(self, step: StartPiece) -> PieceRecord:
        started, self.now = self.now, self.now + self.duration
        if problem := self.problem_of(step):
            return replace(piece_from(step, {}, started=started, ended=self.now), problem=problem)
        answers = {host: self.answers(step.stage, step.step, host, step.attempt) for host in step.hosts}
        return piece_from(
            step,
            {h: r for h, r in answers.items() if r},
            lost=None in answers.values(),
            started=started,
            ended=self.now,
        )

    def run(self, *, steps: int = 2_000) -> NextStep:
        for _ in range(steps):
            step = self.step()
            if isinstance(step, Stop | Finish):
                return step
        raise AssertionError("the run never ended")

    def applied(self) -> list[str]:
        return [host for step in self.done if step.stage is Stage.APPLY for host in step.hosts]


def piece_from(
    step: StartPiece,
    results: Mapping[str, HostResult],
    *,
    lost: bool = False,
    started: datetime = START,
    ended: datetime | None = START,
) -> PieceRecord:
    return PieceRecord(
        id=f"piece-{step.batch}-{step.stage}-{step.step}-{step.attempt}",
        wave=step.wave,
        batch=step.batch,
        stage=step.stage,
        step=step.step,
        attempt=step.attempt,
        hosts=step.hosts,
        state=PieceState.LOST if lost else PieceState.FINISHED,
        started=started,
        ended=ended,
        results=results,
    )


def stages(done: Sequence[StartPiece]) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(str(step.stage), step.step, step.hosts) for step in done]


READINESS = Step(StepKind.PLAYBOOK, "playbooks/health/readiness.yml")
WITH_CHECKS = {"before": (LOOK, READINESS), "after": (LOOK, Step(StepKind.HEALTH, "web-answers"))}
UNREACHABLE = {"result": Result.UNREACHABLE, "touched": False, "cause": "unreachable"}
NOT_IN_PLAYBOOK = {"result": Result.NOT_RUN, "touched": False, "reason": NotRun.NOT_IN_PLAYBOOK}
