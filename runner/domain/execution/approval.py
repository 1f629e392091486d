"""Approvals: who must allow a change before it runs, what exactly was allowed, and for as long as what is it still allowed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from runner.domain.execution.approved_content import what_changed
from runner.domain.execution.schedule import ChangeType
from runner.domain.record.record import canonical, instant_text
from runner.domain.who import Actor

NAMESPACE = "wellkept-approval"
"""Keeps a signature of an approval from being taken for a signature of anything else (PROTOCOL.sshsig of OpenSSH)."""

GOOD_FOR = timedelta(
    days=7
)  # an approval of a run by hand: long enough for the next evening, too short to be forgotten


class Policy(StrEnum):
    """Who must approve a change before it runs."""

    NONE = "none"
    SELF = "self"  # anybody who may, also who asked for it: reports count that
    OTHER = "other"  # anybody who may, but for who asked for it


BY_DEFAULT: Mapping[ChangeType, Policy] = {
    ChangeType.STANDARD: Policy.NONE,
    ChangeType.NORMAL: Policy.OTHER,
    ChangeType.EMERGENCY: Policy.NONE,
}


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's word that this content may be run on these hosts, in one slot, or by hand until it expires when `slot_id` is None.

    `content` is what `digest` was made from. `message` is what was signed, byte for byte; `signature` and `public_key` are None for somebody whose keys
    nobody wrote down. `requester` is who had asked for it, as it was known then.
    """

    id: str
    schedule: str
    slot_id: str | None
    digest: str
    content: Mapping[str, Any]
    hosts: tuple[str, ...]
    requester: str
    by: Actor
    at: datetime
    expires_at: datetime | None
    message: str
    signature: str | None = None
    public_key: str | None = None
    revoked_at: datetime | None = None
    revoked_by: Actor | None = None

    @property
    def by_requester(self) -> bool:
        """Whether people approved what they had asked for themselves."""
        return self.by.name == self.requester


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is about to be run, as far as approvals go: content, hosts, and the occurrence, which a run outside of any window has not.

    `whole` means that no host can be left out. `may` are the people who may approve, None for anybody.
    """

    installation: str
    schedule: str
    occurrence: tuple[date, int] | None
    digest: str
    content: Mapping[str, Any]
    hosts: tuple[str, ...]
    policy: Policy
    requester: str
    whole: bool = False
    may: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with the approval of a run: the one that counts, or else why the last one does not; `who` says whose is wanted.

    `left_out` are hosts that came since, `gone` approved ones that the inventory no longer has.
    """

    policy: Policy = Policy.NONE
    change: ChangeType = ChangeType.STANDARD
    who: str = ""
    counts: Approval | None = None
    refused: Approval | None = None
    why: str = ""
    left_out: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether somebody has yet to approve it."""
        return self.policy is not Policy.NONE and self.counts is None

    @property
    def words(self) -> str:
        """What it waits for, and what became of the approval that it had."""
        before = f". {self.refused.by}'s approval does not count: {self.why}" if self.refused else ""
        return f"this {self.change} change waits for approval by {self.who}{before}"


def approval_message(occasion: Occasion, *, by: str, at: datetime, expires: datetime | None, window: str) -> bytes:
    """What the approver signs: canonical JSON, so that anybody can see what was allowed, and check it with stock OpenSSH."""
    day, ordinal = occasion.occurrence or (None, None)
    return canonical(
        {
            "approver": by,
            "at": instant_text(at),
            "digest": occasion.digest,
            "expires": instant_text(expires) if expires else None,
            "hosts": sorted(occasion.hosts),
            "installation": occasion.installation,
            "ordinal": ordinal,
            "purpose": NAMESPACE,
            "requester": occasion.requester or None,
            "rule_date": day.isoformat() if day else None,
            "schedule": occasion.schedule,
            "window": window,
        }
    )


def objection_to(approval: Approval, occasion: Occasion, *, now: datetime) -> str:
    """Why an approval does not count here, but for its signature; nothing when it does."""
    if approval.revoked_at is not None:
        return f"{approval.revoked_by} took it back"
    if approval.expires_at is not None and now >= approval.expires_at:
        return f"it expired at {approval.expires_at:%Y-%m-%d %H:%M} UTC"
    if occasion.may is not None and approval.by.name not in occasion.may:
        return f"{approval.by} may not approve, by the teams in wellkept.yml"
    if occasion.policy is Policy.OTHER and approval.by.name == occasion.requester:
        return own_word(approval)
    if approval.digest != occasion.digest:
        return f"changed since: {'; '.join(what_changed(approval.content, occasion.content)) or 'the digest'}"
    if not says_the_same(approval, occasion):
        return "its message is not about this run; somebody has changed the database"
    if occasion.whole and (came := beyond(occasion.hosts, approval)):
        return f"{', '.join(came)} came since, and split: whole can leave no host out"
    return ""


def own_word(approval: Approval) -> str:
    """Why people cannot approve what they ask for themselves, and the way out."""
    if approval.slot_id is None:
        return f"{approval.by} may not start what {approval.by} approved: somebody else starts it, or approves it"
    return f"{approval.by} answers for it, and somebody else has to approve it"


def says_the_same(approval: Approval, occasion: Occasion) -> bool:
    """Whether what was signed is what the row tells, and about this very occurrence."""
    said = json.loads(approval.message or "{}")
    day, ordinal = occasion.occurrence or (None, None)
    there = (day.isoformat() if day else None, ordinal)
    same = says_what_is_kept(approval, occasion.installation)
    return same and (said.get("rule_date"), said.get("ordinal")) == there


def says_what_is_kept(approval: Approval, installation: str) -> bool:
    """Whether what was signed is what the row tells."""
    said = json.loads(approval.message or "{}")
    row = (
        installation,
        approval.schedule,
        approval.digest,
        sorted(approval.hosts),
        approval.by.name,
        instant_text(approval.at),
        instant_text(approval.expires_at) if approval.expires_at else None,
    )
    keys = ("installation", "schedule", "digest", "hosts", "approver", "at", "expires")
    return tuple(said.get(key) for key in keys) == row


def beyond(hosts: Sequence[str], approval: Approval) -> tuple[str, ...]:
    """The hosts that nobody has approved: they came since."""
    return tuple(host for host in hosts if host not in approval.hosts)


def within(hosts: Sequence[str], approval: Approval | None) -> tuple[str, ...]:
    """The hosts that may be touched; all of them where no approval bounds them."""
    return tuple(host for host in hosts if approval is None or host in approval.hosts)


def wanted_from(policy: Policy, requester: str, may: Sequence[str] | None, *, words: str) -> str:
    """Whose approval is wanted; `words` tell who may approve, with their teams."""
    if may is None:
        return f"somebody other than {requester}" if policy is Policy.OTHER else "anybody"
    left = [name for name in may if policy is Policy.SELF or name != requester]
    if not left:
        return f"somebody other than {requester}, and nobody else may ({words})"
    return " or ".join(filter(None, (", ".join(left[:-1]), left[-1])))
