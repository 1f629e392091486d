"""An approval as people and programs read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.domain.execution.approval import Approval
from runner.store.execution import approvals, runs
from runner.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ApprovalShown:
    """Who allowed what, and whether it was signed; `message` is what the signature is over. `by_requester` means that people approved their own wish.

    `slot` is null for a run by hand, which may begin until it `expires`. One that was taken back says when, and by whom.
    """

    id: str
    schedule: str
    slot: str | None
    digest: str
    hosts: tuple[str, ...]
    by: str
    by_requester: bool
    at: datetime
    expires: datetime | None
    signed: bool
    message: str
    signature: str | None
    public_key: str | None
    revoked: datetime | None
    revoked_by: str | None

    @property
    def words(self) -> str:
        """Who, and whether signed, in a few words."""
        marks = ("signed" if self.signed else "not signed", "own wish" if self.by_requester else "")
        return f"{self.by} ({', '.join(filter(None, marks))})"


def shown(approval: Approval, *, requested_by: str = "") -> ApprovalShown:
    """The approval; `requested_by` is who started the run by hand that began by it."""
    return ApprovalShown(
        id=approval.id,
        schedule=approval.schedule,
        slot=approval.slot_id,
        digest=approval.digest,
        hosts=approval.hosts,
        by=approval.by.name,
        by_requester=approval.by.name in {approval.requester, requested_by},
        at=approval.at,
        expires=approval.expires_at,
        signed=approval.signature is not None,
        message=approval.message,
        signature=approval.signature,
        public_key=approval.public_key,
        revoked=approval.revoked_at,
        revoked_by=approval.revoked_by.name if approval.revoked_by else None,
    )


def approval_of(connection: Transaction, run: runs.Run) -> ApprovalShown | None:
    """The approval that a run began by; None when it needed none."""
    found = approvals.get(connection, run.approval_id) if run.approval_id else None
    return shown(found, requested_by=run.requested_by.name) if found else None
