"""What `wellkept calendar` was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed."""

    names: tuple[str, ...]
    from_: str
    to: str | None
    year: str | None
    coming: str | None
    window: str | None
    form: str
    output: Path | None
    hosts: bool
