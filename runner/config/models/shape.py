"""What all models have in common: no unknown keys, no silent conversions."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A mapping with known keys only, whose values are never converted in silence."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
