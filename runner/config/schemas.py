"""JSON Schemas (draft 2020-12) of each kind of file, generated from the models, for editors and other tools."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from runner.config.files import KINDS
from runner.config.nearest import listed
from runner.domain.execution.schedule import Amount
from runner.domain.time.duration import describe
from runner.errors import UsageError

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Writes defaults as people write them."""

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401  as pydantic declares it
        """A default as it would stand in a file."""
        if isinstance(dft, timedelta):
            return describe(dft)
        if isinstance(dft, Amount):
            return str(dft) if dft.percent else int(dft.number)
        return super().encode_default(dft)


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind of file: settings, windows, schedule, health, causes or report; raises UsageError for others."""
    if kind not in KINDS:
        raise UsageError(f"There is no schema {kind!r}. Known: {listed(KINDS)}.")
    generated = KINDS[kind].model_json_schema(by_alias=True, schema_generator=_Generator)
    return {"$schema": DIALECT, "title": f"Wellkept: {kind}", **_tidy(generated)}


def _tidy(node: Any) -> Any:  # noqa: ANN401  any part of a schema
    """Leave out null, which no key accepts, titles that only repeat a key, and keys beside those that a pattern allows."""
    if isinstance(node, list):
        return [_tidy(part) for part in node]
    if not isinstance(node, dict):
        return node
    cleaned = {key: _tidy(part) for key, part in node.items() if not _is_noise(key, part)}
    if "patternProperties" in cleaned:
        cleaned.setdefault("additionalProperties", False)
    branches = [branch for branch in cleaned.get("anyOf", []) if branch != {"type": "null"}]
    if len(branches) == 1:
        return {**branches[0], **{key: part for key, part in cleaned.items() if key != "anyOf"}}
    return {**cleaned, "anyOf": branches} if branches else cleaned


def _is_noise(key: str, part: object) -> bool:
    """Whether a word of a schema says nothing; a key of a file that is called `title` is a mapping here, and stays."""
    return (key == "default" and part is None) or (key == "title" and isinstance(part, str))
