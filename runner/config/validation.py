"""One mapping against one model: the model, or every problem at its place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import Tag, TypeAdapter, ValidationError

from runner.config.models.shape import Shape
from runner.config.source import Path, Source
from runner.config.wording import Finding, sentence
from runner.errors import Problem

M = TypeVar("M", bound=Shape)
_UNIONS = (Union, UnionType)


def validate(model: type[M], source: Source) -> tuple[M | None, list[Problem]]:
    """Check a whole file against its model."""
    try:
        valid: M | None = model.model_validate(source.value)
        errors: list[Any] = []
    except ValidationError as error:
        valid, errors = None, error.errors(include_url=False)
    problems = [_problem(model, source, found) for found in errors]
    return valid, [*problems, *_clocks_taken_for_numbers(source, problems)]


def salvage(model: type[M], raw: object) -> M | None:
    """The model of one part of a file that has problems elsewhere; None when it has some itself."""
    try:
        return model.model_validate(raw)
    except ValidationError:
        return None


def salvage_value(model: type[Shape], raw: object, key: str) -> object:
    """The value of one key of a mapping that has problems elsewhere; its default when it is left out, None when it is wrong."""
    name = _field_name(model, key)
    field = model.model_fields[name]
    if not isinstance(raw, Mapping):
        return None
    if key not in raw:
        return None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    try:
        return _adapter(model, name).validate_python(raw[key], strict=True)
    except ValidationError:
        return None


def value_of(valid: Shape, key: str) -> object:
    """The value of one key, as the file names it, of a valid model."""
    found: object = getattr(valid, _field_name(type(valid), key))
    return found


@lru_cache(maxsize=256)
def _field_name(model: type[Shape], key: str) -> str:
    return next(name for name, field in model.model_fields.items() if (field.alias or name) == key)


@lru_cache(maxsize=256)
def _adapter(model: type[Shape], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(model.model_fields[name].rebuild_annotation())


def _problem(model: type[Shape], source: Source, error: Mapping[str, Any]) -> Problem:
    """One error of pydantic as a problem of the file."""
    at_name = error["loc"][-1:] == ("[key]",)
    path = tuple(part for part in error["loc"] if not _is_tag(part) and part != "[key]")
    kind = error["type"]
    at_key = at_name or kind == "extra_forbidden"
    place = path[:-1] if kind == "missing" else path
    finding = Finding(
        key=_key(path[:-1] if at_name else path) or "this file",
        mark=source.mark_of_key(place) if at_key else source.mark_of_value(place),
        raw=source.at(path),
        model=_owner(model, error["loc"]),
        error=error,
        path=path,
    )
    return source.problem(place, sentence(finding), at_key=at_key or kind == "missing")


def _clocks_taken_for_numbers(source: Source, known: list[Problem]) -> list[Problem]:
    """Numbers that were written with a colon and passed as numbers all the same, as in `extra_vars`."""
    places = {(problem.line, problem.column) for problem in known}
    return [
        source.problem(
            path,
            f"{_key(path)}: {source.at(path)} is a number; YAML reads an unquoted {mark.raw} that way. "
            f'Quote it: {_key(path)}: "{mark.raw}"',
        )
        for path, mark in source.values.items()
        if mark.tag in {"int", "float"} and ":" in mark.raw and (mark.line, mark.column) not in places
    ]


def _key(path: Path) -> str:
    """The nearest key by name: that of the list for an item of a list."""
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _is_tag(part: object) -> bool:
    """Whether a part of a location is the tag of a union, and no key of the file."""
    return isinstance(part, str) and part.startswith("<")


def _owner(model: type[Shape], location: tuple[str | int, ...]) -> type[Shape]:
    """The model that the last key of a location belongs to."""
    owner: type[Shape] = model
    here: object = model
    for part in location:
        here = _bare(here)
        if isinstance(here, type) and issubclass(here, Shape):
            owner = here
            field = next((f for name, f in here.model_fields.items() if (f.alias or name) == part), None)
            here = field.annotation if field else None
        else:
            here = _inside(here, part)
    return owner


def _inside(annotation: object, part: str | int) -> object:
    """The annotation of an item of a mapping or list, or of the branch of a union that bears a tag."""
    branches = get_args(annotation)
    if get_origin(annotation) in _UNIONS:
        return next((branch for branch in branches if Tag(str(part)) in get_args(branch)[1:]), None)
    return branches[-1] if branches else None


def _bare(annotation: object) -> object:
    """An annotation without what is only said about it, and without None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in _UNIONS:
        rest = [branch for branch in get_args(annotation) if branch is not type(None)]
        return _bare(rest[0]) if len(rest) == 1 else annotation
    return annotation
