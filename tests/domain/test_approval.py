"""An approval binds: it counts for what was seen, by somebody who may, and for nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.execution.approval import (
    Approval,
    Occasion,
    Policy,
    Standing,
    approval_message,
    beyond,
    objection_to,
    wanted_from,
    within,
)
from runner.domain.execution.approved_content import digest_of_content, what_changed
from runner.domain.execution.guards import hold_for_approval
from runner.domain.record.record import canonical
from runner.domain.who import Actor

NOON = datetime(2026, 3, 21, 12, tzinfo=UTC)
PEOPLE = ("ana", "bob", "cem")
NAMES = st.text("abcd./-_ö", min_size=1, max_size=6)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False, allow_infinity=False), NAMES
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
CONTENTS = st.fixed_dictionaries(
    {
        "schedule": st.dictionaries(NAMES, VALUES, max_size=4),
        "rule_date": st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 5)).map(str),
        "files": st.dictionaries(NAMES, st.sampled_from(["1", "2"]), max_size=4),
    }
)
HOSTS = st.lists(st.sampled_from(["web-01", "web-02", "web-03", "db-01"]), unique=True, min_size=1).map(tuple)


@st.composite
def occasions(draw: st.DrawFn) -> Occasion:
    content = draw(CONTENTS)
    return Occasion(
        installation="one",
        schedule="patch",
        occurrence=draw(st.none() | st.tuples(st.just(date(2026, 3, 21)), st.integers(1, 2))),
        digest=digest_of_content(content),
        content=content,
        hosts=draw(HOSTS),
        policy=draw(st.sampled_from([Policy.SELF, Policy.OTHER])),
        requester=draw(st.sampled_from([*PEOPLE, "team-web"])),
        whole=draw(st.booleans()),
        may=draw(st.none() | st.frozensets(st.sampled_from(PEOPLE))),
    )


def approved(occasion: Occasion, by: str = "bob", *, expires: datetime | None = None) -> Approval:
    """What `runs approve` keeps."""
    message = approval_message(occasion, by=by, at=NOON, expires=expires, window="saturday-night")
    return Approval(
        id="1",
        schedule=occasion.schedule,
        slot_id="s",
        digest=occasion.digest,
        content=occasion.content,
        hosts=tuple(sorted(occasion.hosts)),
        requester=occasion.requester,
        by=Actor(by),
        at=NOON,
        expires_at=expires,
        message=message.decode(),
    )


def may_give(by: str, occasion: Occasion) -> bool:
    allowed = occasion.may is None or by in occasion.may
    return allowed and (occasion.policy is Policy.SELF or by != occasion.requester)


@given(occasions(), st.sampled_from(PEOPLE))
def test_the_very_thing_that_was_approved_is_approved_exactly_when_the_person_may(occasion: Occasion, by: str) -> None:
    assert (objection_to(approved(occasion, by), occasion, now=NOON) == "") is may_give(by, occasion)


@given(occasions(), occasions())
def test_an_approval_never_counts_for_other_content_or_another_occurrence(seen: Occasion, now: Occasion) -> None:
    objection = objection_to(approved(seen), now, now=NOON)

    if not objection:
        assert canonical(seen.content) == canonical(now.content)
        assert seen.occurrence == now.occurrence
        assert may_give("bob", now)


@given(occasions(), HOSTS)
def test_no_host_beyond_the_approved_ones_is_ever_touched(occasion: Occasion, hosts: tuple[str, ...]) -> None:
    approval, now = approved(occasion), replace(occasion, hosts=hosts)

    if not objection_to(approval, now, now=NOON):
        kept, came = within(hosts, approval), beyond(hosts, approval)
        assert set(kept) <= set(occasion.hosts)
        assert set(kept).isdisjoint(came)
        assert set(kept) | set(came) == set(hosts)
        assert not (came and now.whole), "one call for all hosts can leave none out"


@given(occasions(), st.integers(-3, 3))
def test_an_approval_that_expires_counts_up_to_that_moment(occasion: Occasion, seconds: int) -> None:
    free = replace(occasion, policy=Policy.SELF, may=None)
    approval = approved(free, expires=NOON)

    objection = objection_to(approval, free, now=NOON + timedelta(seconds=seconds))

    assert (objection == "") is (seconds < 0)


@given(occasions())
def test_an_approval_that_was_taken_back_never_counts(occasion: Occasion) -> None:
    taken_back = replace(approved(occasion), revoked_at=NOON, revoked_by=Actor("cem"))

    assert objection_to(taken_back, occasion, now=NOON) == "cem took it back"


@given(occasions(), st.sampled_from(["schedule", "digest", "hosts", "approver", "at", "expires", "installation", "rule_date", "ordinal"]))  # fmt: skip
def test_no_part_of_the_signed_message_may_say_something_else(occasion: Occasion, part: str) -> None:
    approval = approved(occasion)
    said = json.loads(approval.message) | {part: "something else"}

    forged = replace(approval, message=canonical(said).decode())

    assert objection_to(forged, occasion, now=NOON)


@given(CONTENTS, CONTENTS)
def test_something_is_told_to_have_changed_exactly_when_the_digest_has(
    then: dict[str, Any], now: dict[str, Any]
) -> None:
    assert bool(what_changed(then, now)) is (digest_of_content(then) != digest_of_content(now))


def test_what_changed_is_told_by_name_and_never_by_value() -> None:
    keys = {"window": {"start": "22:00"}, "extra_vars": {"token": "old"}}
    then = {"rule_date": "2026-03-14", "schedule": keys, "files": {"a": "1", "b": "1"}}
    keys = {"window": {"start": "23:00"}, "extra_vars": {"token": "new"}, "tags": []}
    now = {"rule_date": "2026-03-21", "schedule": keys, "files": {"b": "2", "c": "1"}}

    assert what_changed(then, now) == (
        "it was for 2026-03-14, this is for 2026-03-21",
        "extra_vars.token has another value",
        "tags has another value",
        "window.start has another value",
        "a is gone",
        "b was edited",
        "c was added",
    )


@pytest.mark.parametrize(
    ("policy", "requester", "may", "expected"),
    [
        (Policy.OTHER, "ana", None, "somebody other than ana"),
        (Policy.SELF, "ana", None, "anybody"),
        (Policy.OTHER, "ana", ("ana", "bob", "cem", "dora"), "bob, cem or dora"),
        (Policy.SELF, "ana", ("ana", "bob"), "ana or bob"),
        (Policy.OTHER, "team-web", ("ana",), "ana"),
        (Policy.OTHER, "ana", ("ana",), "somebody other than ana, and nobody else may (ana (web))"),
    ],
)
def test_whose_approval_is_wanted(policy: Policy, requester: str, may: tuple[str, ...] | None, expected: str) -> None:
    assert wanted_from(policy, requester, may, words="ana (web)") == expected


def test_the_guard_holds_what_waits_and_nothing_else() -> None:
    occasion = Occasion("one", "patch", None, "d", {}, ("a",), Policy.OTHER, "ana")
    waiting = Standing(Policy.OTHER, who="bob")

    held = hold_for_approval(waiting)

    assert held is not None
    assert held.guard == "approval"
    assert hold_for_approval(Standing()) is None
    assert hold_for_approval(replace(waiting, counts=approved(occasion))) is None
