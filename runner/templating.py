"""The one door to Jinja2: users' texts in a sandbox with bounds, and our own pages with escaping."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sized
from contextvars import ContextVar
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.errors import WellkeptError

MOST_TEMPLATE = 64 * 1024  # characters
MOST_TEXT = 256 * 1024  # characters that a template may write, or hold in one value
MOST_STEPS = 100_000  # turns of loops, and calls
MOST_SECONDS = 2.0

_PAGES = Path(__file__).parent / "reporting" / "templates"
_FILTERS = frozenset(
    {
        "abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "groupby",
        "int", "items", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr",
        "reverse", "round", "select", "selectattr", "sort", "title", "trim", "truncate", "unique", "upper",
    }
)  # fmt: skip
_TEXT_METHODS = frozenset(
    {
        "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii",
        "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "isupper", "lower", "lstrip", "partition",
        "removeprefix", "removesuffix", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "split",
        "splitlines", "startswith", "strip", "swapcase", "title", "upper",
    }
)  # fmt: skip


class TemplateFailed(WellkeptError):
    """A text with `{{ }}` in it cannot be filled; the message says why."""

    exit_code = 2


class _Spent:
    """What one rendering has used up; goes over a bound loudly."""

    def __init__(self) -> None:
        self.steps = 0
        self.characters = 0
        self.ends = time.monotonic() + MOST_SECONDS

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TemplateFailed(f"it takes more than {MOST_STEPS} steps")
        if time.monotonic() > self.ends:
            raise TemplateFailed(f"it takes longer than {MOST_SECONDS:g} s")

    def write(self, written: object) -> object:
        text = written if isinstance(written, jinja2.Undefined) else _text(written)
        self.characters += len(text) if isinstance(text, str) else 0
        if self.characters > MOST_TEXT:
            raise TemplateFailed(f"it writes more than {MOST_TEXT} characters")
        return text


_MISTAKES = (
    TemplateFailed, jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError, MemoryError
)  # fmt: skip
_spent: ContextVar[_Spent] = ContextVar("spent")


def render(template_text: str, values: Mapping[str, object]) -> str:
    """Fill a user's text with values, in a sandbox: no files, no private attributes, no changes to the values, and within bounds of size and time.

    Raises TemplateFailed for a mistake in the text, a value that is not there, or a text that goes over a bound.
    """
    token = _spent.set(_Spent())
    try:
        if len(template_text) > MOST_TEMPLATE:
            raise TemplateFailed(f"it is longer than {MOST_TEMPLATE} characters")
        return _users_texts().from_string(template_text).render(dict(values))
    except _MISTAKES as error:
        raise TemplateFailed(f"{_shortened(template_text)!r} cannot be filled: {_reason(error)}") from error
    finally:
        _spent.reset(token)


def page(name: str, values: Mapping[str, object]) -> str:
    """Fill one of our own packaged HTML pages; every value is escaped unless it is marked as HTML already.

    Raises TemplateFailed for a page or a value that is not there.
    """
    try:
        return _pages(_PAGES).get_template(name).render(dict(values))
    except jinja2.TemplateError as error:
        raise TemplateFailed(f"the page {name} cannot be filled: {_reason(error)}") from error


def _shortened(text: str) -> str:
    return textwrap.shorten(text, 120, placeholder=" ...")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, jinja2.TemplateSyntaxError):
        return f"line {error.lineno}: {error.message}"
    return str(error) or type(error).__name__


@cache
def _pages(folder: Path) -> jinja2.Environment:
    """The environment of our own pages; a value that is missing is an error, never an empty place."""
    loader = jinja2.FileSystemLoader(folder)
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _users_texts() -> _UsersTexts:
    environment = _UsersTexts(
        undefined=jinja2.StrictUndefined,
        optimized=False,
        finalize=lambda value: _spent.get().write(value),
        autoescape=False,
    )
    filters = {name: function for name, function in environment.filters.items() if name in _FILTERS}
    environment.filters = {
        **filters,
        "join": _joined,
        "replace": _replaced,
        "string": _text,
        _COUNTED: _counted,
        _JOINED: _joined,
    }
    environment.globals = {
        "range": environment.globals["range"],
        "dict": dict,
        "namespace": environment.globals["namespace"],
    }
    return environment


_COUNTED = "counted turns of a loop"  # not names that a template can write
_JOINED = "joined within bounds"


class _UsersTexts(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, and bounds on what its operators, loops and calls may cost."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - Jinja2's own signature
        """Refuse an operation whose result could be huge, before it is made."""
        del context
        return _BOUNDED[operator](left, right)

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - Jinja2's own signature
        """Count every call, and let no text grow by one of its methods."""
        _spent.get().step()
        if (
            isinstance(getattr(obj, "__self__", None), str | bytes)
            and getattr(obj, "__name__", "") not in _TEXT_METHODS
        ):
            raise TemplateFailed(f"texts have no {getattr(obj, '__name__', 'such')} here")
        return super().call(context, obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> None:  # noqa: ANN401 - Jinja2's own signature
        """Leave `format` as it is, so that `call` sees and refuses it."""

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - Jinja2's own signature
        """Have every loop counted and every `~` bounded, in the parsed template."""
        for loop in list(source.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno)
        return super()._generate(_with_bounded_joins(source), *args, **kwargs)


def _with_bounded_joins(node: Any) -> Any:  # noqa: ANN401 - any node of a template
    """Put our own join in the place of every `~`, innermost first."""
    for name, value in list(node.iter_fields()):
        if isinstance(value, list):
            setattr(node, name, [_with_bounded_joins(item) if isinstance(item, nodes.Node) else item for item in value])
        elif isinstance(value, nodes.Node):
            setattr(node, name, _with_bounded_joins(value))
    if isinstance(node, nodes.Concat):
        return nodes.Filter(nodes.List(node.nodes, lineno=node.lineno), _JOINED, [], [], None, None, lineno=node.lineno)
    return node


def _counted(items: Iterable[object]) -> Iterator[object]:
    for item in items:
        _spent.get().step()
        yield item


def _joined(parts: Iterable[object], between: object = "") -> str:
    """Join texts, stopping before the result is too long."""
    texts: list[str] = []
    length = 0
    for part in _counted(parts):
        texts.append(_text(part))
        length += len(texts[-1]) + len(_text(between))
        _fits(length)
    return _text(between).join(texts)


def _replaced(text: object, old: str, new: str) -> str:
    """Replace within a text, unless the result is too long."""
    whole = _text(text)
    _fits(len(whole) + whole.count(old) * (len(new) - len(old)))
    return whole.replace(old, new)


def _text(value: object) -> str:
    """The text of a value; a list of lists of lists that would be huge when written out is refused first."""
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        _weigh(value)
    return str(value)


def _weigh(value: object) -> None:
    """Refuse a value that would be too long when written out; what is in it twice counts twice."""
    weight, left = 0, [value]
    while left:
        item = left.pop()
        weight += len(item) if isinstance(item, str | bytes) else 1
        _fits(weight)
        if isinstance(item, Collection) and not isinstance(item, str | bytes):
            left.extend(chain(item, item.values() if isinstance(item, Mapping) else ()))


def _fits(length: int) -> None:
    if length > MOST_TEXT:
        raise TemplateFailed(f"a value in it would be longer than {MOST_TEXT} characters")


def _added(left: Any, right: Any) -> Any:  # noqa: ANN401 - whatever a template adds
    if isinstance(left, Sized) and isinstance(right, Sized):
        _fits(len(left) + len(right))
    return left + right


def _multiplied(left: Any, right: Any) -> Any:  # noqa: ANN401 - whatever a template multiplies
    for sized, times in ((left, right), (right, left)):
        if isinstance(sized, Sized) and isinstance(times, int):
            _fits(len(sized) * times)
    if isinstance(left, int) and isinstance(right, int):
        _fits(left.bit_length() + right.bit_length())
    return left * right


def _raised(left: Any, right: Any) -> Any:  # noqa: ANN401 - whatever a template raises to a power
    if isinstance(left, int) and isinstance(right, int):
        _fits(left.bit_length() * abs(right))
    return left**right


def _remainder(left: Any, right: Any) -> Any:  # noqa: ANN401 - whatever a template divides
    if isinstance(left, str | bytes):
        raise TemplateFailed("% formats no text here; use ~ to join texts")
    return left % right


_BOUNDED: dict[str, Callable[[Any, Any], Any]] = {"+": _added, "*": _multiplied, "**": _raised, "%": _remainder}
