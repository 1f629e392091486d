"""Checks the approvals that people signed: that each is what its approver signed, and that the row says nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from runner.domain.execution.approval import Approval, says_what_is_kept
from runner.domain.record.record_faults import Fault, FaultKind


class VerifySignature(Protocol):
    """How a signature is checked, as stock `ssh-keygen -Y verify` sees it."""

    def __call__(self, message: bytes, signature: str, public_key: str, approver: str | None = None) -> bool:
        """Whether that public key made the signature: in the record's namespace, or, with an approver, in that of approvals and by that name."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What an approver signed; `place` is where it stands, for people. `same` is False when the row beside it says something else."""

    place: str
    approver: str
    message: bytes
    signature: str
    keys: tuple[str, ...]
    same: bool = True


def sealed_in(approvals: Iterable[Approval], installation: str) -> list[Sealed]:
    """The signed approvals of the database."""
    return [
        Sealed(
            place=f"approval {each.id}",
            approver=each.by.name,
            message=each.message.encode(),
            signature=each.signature or "",
            keys=(each.public_key or "",),
            same=says_what_is_kept(each, installation),
        )
        for each in approvals
    ]


def bad_approvals(sealed: Iterable[Sealed], verify_signature: VerifySignature) -> Iterator[Fault]:
    """A fault for each approval that proves nothing. Whether a key is that of the person it is said to be, wellkept.yml and its history tell."""
    for each in sealed:
        if not each.same:
            text = f"what {each.approver} signed is not what the database says was approved"
            yield Fault(each.place, 0, FaultKind.BAD_APPROVAL, text)
        elif not any(verify_signature(each.message, each.signature, key, each.approver) for key in each.keys):
            yield Fault(each.place, 0, FaultKind.BAD_APPROVAL, f"the signature of {each.approver} is not valid")
