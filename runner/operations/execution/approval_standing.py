"""How it stands with the approval of a run: which one counts, or why none does; a signature is checked each time before it counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from runner.domain.execution.approval import (
    Approval,
    Occasion,
    Policy,
    Standing,
    beyond,
    objection_to,
    wanted_from,
    within,
)
from runner.domain.execution.approved_content import DATE, Content, digest_of_content
from runner.domain.execution.schedule import Schedule, Split
from runner.domain.rights import holders, holders_in_words
from runner.domain.settings import Settings
from runner.domain.who import Right
from runner.operations.execution.requester import requester_of
from runner.operations.site import Site
from runner.ports import InventoryAnswer
from runner.store.execution import approvals, inventories
from runner.store.time import slots
from runner.store.transaction import Transaction


def policy_for(schedule: Schedule, settings: Settings, *, check_mode: bool = False) -> Policy:
    """Who must approve a run of this schedule; what changes nothing needs nobody."""
    return settings.approval[schedule.change.type] if schedule.changes_something and not check_mode else Policy.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is about to be run: this content on these hosts, in this occurrence, which a run outside of any window has not.

    `by_hand` is a run that a person starts, `limited` one on some of the schedule's hosts only.
    """

    schedule: Schedule
    occurrence: tuple[date, int] | None
    content: Content
    hosts: tuple[str, ...] = ()
    by_hand: bool = False
    check_mode: bool = False
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """How it stands with the approval, and which hosts may be touched because of it; `gone` are approved ones that the inventory has no more."""

    occasion: Occasion
    standing: Standing
    hosts: tuple[str, ...]
    gone: tuple[str, ...] = ()


def permission_for(
    question: Question, settings: Settings, answer: InventoryAnswer, *, site: Site, at: datetime
) -> Permission:
    """Look for an approval that counts at that time, and keep the run within its hosts."""
    occasion = occasion_of(question, settings, site=site)
    standing = standing_of(question, occasion, settings, site=site, at=at)
    hosts, gone = hosts_to_run(question, standing, answer, site=site)
    return Permission(occasion, replace(standing, gone=gone), hosts, gone)


def occasion_of(question: Question, settings: Settings, *, site: Site) -> Occasion:
    """The question as the rules about approvals want it."""
    schedule, occurrence = question.schedule, question.occurrence
    content = {**question.content, DATE: occurrence[0].isoformat() if occurrence else None}
    asked_by = site.actor if question.by_hand else requester_of(schedule, site=site)
    return Occasion(
        installation=site.store.installation.id,
        schedule=schedule.name,
        occurrence=occurrence,
        digest=digest_of_content(content),
        content=content,
        hosts=question.hosts,
        policy=policy_for(schedule, settings, check_mode=question.check_mode),
        requester=asked_by.name,
        whole=schedule.split is Split.WHOLE,
        may=holders(Right.APPROVE, settings.teams),
    )


def standing_of(question: Question, occasion: Occasion, settings: Settings, *, site: Site, at: datetime) -> Standing:
    """Look for an approval that counts on this occasion at that time."""
    standing = standing_without(occasion, question.schedule, settings)
    if occasion.policy is Policy.NONE:
        return standing
    refused: list[tuple[Approval, str]] = []
    for approval in site.store.read(lambda c: candidates(c, occasion, by_hand=question.by_hand)):
        why = objection_to(approval, occasion, now=at) or objection_to_seal(approval, settings, site=site)
        if not why:
            return replace(standing, counts=approval, left_out=beyond(occasion.hosts, approval))
        refused.append((approval, why))
    return replace(standing, refused=refused[0][0], why=refused[0][1]) if refused else standing


def standing_without(occasion: Occasion, schedule: Schedule, settings: Settings) -> Standing:
    """How it stands while nobody has approved it."""
    words = holders_in_words(Right.APPROVE, settings.teams)
    who = wanted_from(occasion.policy, occasion.requester, holders(Right.APPROVE, settings.teams), words=words)
    return Standing(occasion.policy, schedule.change.type, who)


def candidates(connection: Transaction, occasion: Occasion, *, by_hand: bool) -> list[Approval]:
    """The approvals that may count, the last first: those of the slot, and for a run by hand also those that were given for one."""
    day, ordinal = occasion.occurrence or (None, 1)
    dated = slots.of_date(connection, occasion.schedule, day) if day else []
    own = [each for slot in dated if slot.ordinal == ordinal for each in approvals.of_slot(connection, slot.id)]
    found = [*own, *approvals.by_hand(connection, occasion.schedule)] if by_hand else own
    return sorted(found, key=lambda each: each.at, reverse=True)


def objection_to_seal(approval: Approval, settings: Settings, *, site: Site) -> str:
    """Why its signature does not count; nothing when it does, or when wellkept.yml has no key of this person."""
    person = settings.people.get(approval.by.name)
    if person is None or not person.keys:
        return ""
    if approval.signature is None:
        return f"it is not signed, though wellkept.yml has a key of {person.name}"
    message = approval.message.encode()
    if not site.seals.verify(message, approval.signature, signer=person.name, keys=person.keys):
        return f"it is not signed with a key that wellkept.yml has of {person.name}"
    return ""


def hosts_to_run(
    question: Question, standing: Standing, answer: InventoryAnswer, *, site: Site
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The hosts that may be touched, and the approved ones that are gone, but for those that were retired, or that a person left out."""
    approval = standing.counts
    if approval is None or question.limited:
        return within(question.hosts, approval), ()
    retired = site.store.read(lambda c: inventories.retired(c, question.schedule.inventory))
    gone = tuple(host for host in approval.hosts if host not in answer.hosts and host not in retired)
    return within(question.hosts, approval), gone
