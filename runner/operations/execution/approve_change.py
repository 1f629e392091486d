"""A person's word that a change may run: for one slot, or for a run by hand of one plan; recorded with their name, and taken back the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from runner.domain.execution.approval import GOOD_FOR, Approval, Policy, approval_message
from runner.domain.execution.guards import REQUIREMENTS
from runner.domain.execution.run import SlotState
from runner.domain.record.record import INSTALLATION
from runner.domain.rights import holders_in_words, may
from runner.domain.settings import Settings
from runner.domain.who import Actor, Right
from runner.errors import Held, NotFound, UsageError
from runner.operations.execution.choose_slot import SlotNamed, slot_named
from runner.operations.execution.find_schedule import schedule_to_run
from runner.operations.execution.plan_occurrence import Asking, Plan, plan_occurrence
from runner.operations.execution.start_run import Wish, check_form, local, local_in
from runner.operations.site import Site
from runner.store.execution import approvals
from runner.store.ids import new_id
from runner.store.record import log as entries
from runner.store.time import slots
from runner.store.transaction import Transaction

GIVEN, REVOKED = "approval.given", "approval.revoked"
STARTABLE = frozenset({SlotState.PLANNED, SlotState.DUE})
AT_ANY_TIME = "at any time"


@dataclass(frozen=True, slots=True)
class ByHand:
    """A run by hand: the plan with this digest, on these of its hosts."""

    schedule: str
    digest: str
    limit: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody is about to approve; `slot` is None for a run by hand, and `hosts` are all that it would touch."""

    plan: Plan
    slot: slots.Slot | None
    hosts: tuple[str, ...]
    window: str
    expires_at: datetime | None


def offer_slot(named: SlotNamed, *, site: Site) -> Offer:
    """What a slot would do, for somebody to approve; raises NotFound, and UsageError when it needs no approval, or this person may not give it."""
    slot = slot_named(named, site=site)
    check_startable(slot)
    at = min(max(site.clock(), slot.usable_from), slot.closes_at)
    plan = plan_occurrence(slot.schedule, Asking(at, identity=slot.identity), definitions=site.current(), site=site)
    check_approver(plan, site.current().settings, by=site.actor, by_hand=False)
    zone = plan.schedule.window.timezone
    window = (
        f"{plan.schedule.window.name}, {local_in(slot.usable_from, zone)} until {local_in(slot.usable_until, zone)}"
    )
    return offered(plan, slot, window=window, expires_at=None)


def offer_by_hand(wanted: ByHand, *, site: Site) -> Offer:
    """What a run by hand would do, now or in the next opening; raises UsageError when no such plan has that digest."""
    check_form(wanted.schedule, Wish(digest=wanted.digest))
    now = site.clock()
    plan = plan_by_hand(wanted, wanted.at or now, site=site)
    if not plan.digest.startswith(wanted.digest) and wanted.at is None and plan.following:
        plan = plan_by_hand(wanted, plan.following.usable_from, site=site)
    if not plan.digest.startswith(wanted.digest):
        raise UsageError(
            f"{wanted.schedule!r} has no plan with the digest {wanted.digest[:12]}, neither now nor in its next opening. It was edited since, or it is for "
            f"another time: give that with --at. `wellkept plan {wanted.schedule}` prints the digest."
        )
    check_approver(plan, site.current().settings, by=site.actor, by_hand=True)
    bound = plan.opening if plan.occasion and plan.occasion.occurrence else None
    window = f"{plan.schedule.window.name}, until {local(bound.usable_until, plan)}" if bound else AT_ANY_TIME
    return offered(plan, None, window=window, expires_at=now + GOOD_FOR)


def plan_by_hand(wanted: ByHand, at: datetime, *, site: Site) -> Plan:
    """What a run by hand at that time would do."""
    return plan_occurrence(
        wanted.schedule, Asking(at, limit=wanted.limit, by_hand=True), definitions=site.current(), site=site
    )


def offered(plan: Plan, slot: slots.Slot | None, *, window: str, expires_at: datetime | None) -> Offer:
    """The offer, if there is anything to allow."""
    for hold in plan.holds:
        if hold.guard == REQUIREMENTS:  # what would be approved is not known before it is installed
            raise Held(f"{plan.schedule.name!r} cannot be approved yet: {hold.reason}.")
    hosts = plan.occasion.hosts if plan.occasion else ()
    if not hosts:
        raise UsageError(f"{plan.schedule.name!r} names no host now, so there is nothing to approve.")
    return Offer(plan, slot, hosts, window, expires_at)


def check_startable(slot: slots.Slot) -> None:
    """Refuse a slot that has its run, or its outcome, already."""
    if slot.state not in STARTABLE:
        became = f"it ended as {slot.outcome}" if slot.outcome else "its run has begun: `wellkept runs list` shows it"
        raise UsageError(
            f"This slot of {slot.schedule!r} cannot be approved, nor an approval taken back, any more: {became}."
        )


def check_approver(plan: Plan, settings: Settings, *, by: Actor, by_hand: bool) -> None:
    """Refuse what needs nobody's word, and the word of somebody who may not give it."""
    name, kind, standing = plan.schedule.name, plan.schedule.change.type, plan.approval
    if standing.policy is Policy.NONE:
        why = f"a {kind} change needs no approval here" if plan.run.changes_something else "it changes nothing"
        raise UsageError(f"There is nothing to approve for {name!r}: {why}. See boundaries: approval: in wellkept.yml.")
    check_right(settings, by=by)
    asked = plan.occasion.requester if plan.occasion else ""
    if standing.policy is Policy.OTHER and not by_hand and by.name == asked:
        raise UsageError(f"{by} answers for {name!r}, and it needs approval by {standing.who}. Nothing was approved.")


def check_right(settings: Settings, *, by: Actor) -> None:
    """Refuse people whose teams have not the right; raises UsageError with who has it."""
    if not may(by.name, Right.APPROVE, settings.teams):
        who = holders_in_words(Right.APPROVE, settings.teams)
        raise UsageError(f"{by} may not approve changes. Who may, by teams: in wellkept.yml: {who}.")


def approve(offer: Offer, *, site: Site) -> Approval:
    """Sign, where wellkept.yml has a key of this person, and keep the approval; raises UsageError when the slot has begun meanwhile."""
    occasion, by, at = offer.plan.occasion, site.actor, site.clock()
    assert occasion is not None  # noqa: S101  tells the type only
    if offer.slot is None:
        occasion = replace(occasion, requester="")  # whoever will start it; nobody knows yet
    message = approval_message(occasion, by=by.name, at=at, expires=offer.expires_at, window=offer.window)
    person = site.current().settings.people.get(by.name)
    seal = site.seals.sign(message, keys=person.keys) if person and person.keys else None
    approval = Approval(
        id=new_id(),
        schedule=occasion.schedule,
        slot_id=offer.slot.id if offer.slot else None,
        digest=occasion.digest,
        content=occasion.content,
        hosts=tuple(sorted(occasion.hosts)),
        requester=occasion.requester,
        by=by,
        at=at,
        expires_at=offer.expires_at,
        message=message.decode(),
        signature=seal.signature if seal else None,
        public_key=seal.public_key if seal else None,
    )
    site.store.write(partial(write_approval, approval=approval))
    return approval


def write_approval(connection: Transaction, *, approval: Approval) -> None:
    """The approval and its log entry in one transaction."""
    if approval.slot_id:
        check_startable(slots.get(connection, approval.slot_id))
    approvals.add(connection, approval)
    entries.append(connection, INSTALLATION, [body_of(approval)], at=approval.at)


def body_of(approval: Approval) -> dict[str, object]:
    """The log entry: with message and signature, so that whoever has the record can check it without us."""
    return {
        "action": GIVEN,
        "approval": approval.id,
        "slot": approval.slot_id,
        "schedule": approval.schedule,
        "digest": approval.digest,
        "hosts": list(approval.hosts),
        "by": approval.by.name,
        "requester": approval.requester,
        "expires": approval.expires_at.isoformat() if approval.expires_at else None,
        "message": approval.message,
        "signature": approval.signature,
        "public_key": approval.public_key,
    }


def revoke_of_slot(named: SlotNamed, *, site: Site) -> list[Approval]:
    """Take back every approval of a slot that has not begun; raises NotFound when it has none."""
    slot = slot_named(named, site=site)
    check_startable(slot)
    return revoke(site.store.read(lambda c: approvals.of_slot(c, slot.id)), slot=slot, site=site)


def revoke_by_hand(wanted: ByHand, *, site: Site) -> list[Approval]:
    """Take back every approval of runs by hand with that digest; raises NotFound when there is none."""
    check_form(wanted.schedule, Wish(digest=wanted.digest))
    schedule_to_run(wanted.schedule, site.current())
    known = site.store.read(lambda c: approvals.by_hand(c, wanted.schedule))
    return revoke([each for each in known if each.digest.startswith(wanted.digest)], slot=None, site=site)


def revoke(known: Sequence[Approval], *, slot: slots.Slot | None, site: Site) -> list[Approval]:
    """Take them back; people may always take back their own word, and whoever may approve, anybody's."""
    standing = [each for each in known if each.revoked_at is None]
    if not standing:
        raise NotFound("There is no approval to take back; nothing was changed.")
    if any(each.by.name != site.actor.name for each in standing):
        check_right(site.current().settings, by=site.actor)
    write = partial(write_revocation, ids=[each.id for each in standing], slot=slot, by=site.actor, at=site.clock())
    site.store.write(write)
    return standing


def write_revocation(
    connection: Transaction, *, ids: Sequence[str], slot: slots.Slot | None, by: Actor, at: datetime
) -> None:
    """The end of each approval and its log entry in one transaction."""
    if slot:
        check_startable(slots.get(connection, slot.id))
    ended = [each for each in ids if approvals.revoke(connection, each, by=by, at=at)]
    entries.append(
        connection, INSTALLATION, [{"action": REVOKED, "approval": each, "by": by.name} for each in ended], at=at
    )
