"""The kinds of value that keys take: each reads text into a domain value, and shows editors its shape."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from runner.config.public_keys import problem_of_key
from runner.config.zones import check_zone
from runner.domain.execution.schedule import Amount
from runner.domain.health import Threshold
from runner.domain.tickets.cause_pattern import LONGEST, bounded
from runner.domain.time.days import WEEKDAYS, parse_day, parse_month, parse_weekday
from runner.domain.time.duration import Duration, parse_duration, parse_timedelta
from runner.domain.time.freeze import YearlySpan
from runner.domain.time.period import parse_period
from runner.domain.time.wallclock import parse_clock
from runner.domain.time.window import DayRule

YEARS = (1970, 2200)
_ANY_DAY = date(2026, 1, 1)
_DURATION = r"^(?=.)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?$"
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _wanted(what: str) -> PydanticCustomError:
    """Something other than text arrived; the sentence is made where the file is known (wording)."""
    return PydanticCustomError("wanted", "{what} is wanted", {"what": what})


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise _wanted(what)
    return value


def _clock(value: object) -> time:
    return parse_clock(_text(value, "a time of day"))


def _duration(value: object) -> Duration:
    duration = parse_duration(_text(value, "a duration"))
    if duration.months:
        raise ValueError("months have no fixed length here. Write it in days or weeks, such as 30d")
    if not (duration.days or duration.elapsed):
        raise ValueError("zero is too short. Write a length, such as 4h")
    return duration


def _rarity(value: object) -> Duration:
    duration = parse_duration(_text(value, "a duration"))
    if duration.elapsed or bool(duration.months) == bool(duration.days):
        raise ValueError("say how often in whole months, or in days and weeks, such as 1mo or 30d")
    return duration


def _variable(value: object) -> str:
    name = _text(value, "the name of a variable")
    if not (name.isascii() and name.isidentifier()):
        raise ValueError(f"{name!r} is no name of a variable. Write letters, digits and _, such as redundancy_group")
    return name


def _span(value: object) -> timedelta:
    return parse_timedelta(_text(value, "a duration"))


def _some_span(value: object) -> timedelta:
    span = _span(value)
    if not span:
        raise ValueError("zero is too short. Write a length, such as 10s")
    return span


def _day(value: object) -> DayRule:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return parse_day(value)
    return parse_day(_text(value, "a day"))


def _weekday(value: object) -> int:
    text = _text(value, "a weekday's name")
    try:
        return parse_weekday(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a weekday. Weekdays are {', '.join(WEEKDAYS)}, also short") from None


def _date(value: object) -> date:
    text = _text(value, "a date")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no date. Write year, month and day, such as 2026-12-31") from None
    if not YEARS[0] <= day.year <= YEARS[1]:
        raise ValueError(f"the year {day.year} is out of range. Write one from {YEARS[0]} to {YEARS[1]}")
    return day


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _month(value: object) -> int:
    return parse_month(_text(value, "a month's name"))


def _zone(value: object) -> str:
    return check_zone(_text(value, "the name of a zone"))


def _amount(value: object) -> Amount:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _wanted("a number of hosts or a percentage")
    if isinstance(value, int):
        return Amount(value)
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?) ?%", value, re.ASCII)
    if not found:
        way_out = f"Write {value.strip()} without quotes" if value.strip().isdigit() else "Write 3 or 25%"
        raise ValueError(f"{value[:40]!r} is no number of hosts and no percentage. {way_out}")
    return Amount(float(found[1]), percent=True)


def _budget(value: object) -> Amount:
    return _within(_amount(value), least=0)


def _size(value: object) -> Amount:
    return _within(_amount(value), least=1)


def _within(amount: Amount, *, least: int) -> Amount:
    """Refuse more than all hosts, and less than makes sense."""
    if amount.percent and amount.number > 100:  # noqa: PLR2004  percent
        raise ValueError(f"{amount} is more than all hosts. Write at most 100%")
    if amount.number < least and not (amount.percent and amount.number > 0):
        raise ValueError(f"{amount} is too few. Write at least {least}, or a percentage such as 25%")
    return amount


def _threshold(value: object) -> Threshold:
    text = _text(value, "a comparison").strip()
    found = re.fullmatch(r"(<=|>=|==|!=|<|>)\s*(-?\d{1,15}(?:\.\d{1,15})?)", text, re.ASCII)
    if not found:
        raise ValueError(
            f'{text[:40]!r} is no comparison with a number. Write it such as "> 80" (or <, <=, >=, ==, !=)'
        )
    return Threshold(found[1], float(found[2]))


def _instant(value: object) -> datetime:
    text = _text(value, "an instant")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no instant. {_SUCH_AS}") from None
    if not YEARS[0] <= instant.year <= YEARS[1]:
        raise ValueError(f"the year {instant.year} is out of range. Write one from {YEARS[0]} to {YEARS[1]}")
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} does not say in which zone. Add the offset: {_with_offset(text)}")
    return instant.astimezone(UTC)


_SUCH_AS = 'Write date, time and offset, such as "2026-11-27T18:00+01:00"'


def _with_offset(text: str) -> str:
    """The same text with an example of an offset."""
    return f'"{text}+01:00"' if ":" in text else f'"{text}T00:00+01:00"'


def _yearly(value: object) -> YearlySpan:
    text = _text(value, "a span of days")
    found = re.fullmatch(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)", text, re.ASCII)
    if not found:
        raise ValueError(f"{text[:40]!r} is no yearly span. Write months and days, such as 12-20..01-06")
    first, last = (int(found[1]), int(found[2])), (int(found[3]), int(found[4]))
    for month, day in (first, last):
        if not (1 <= month <= len(_DAYS_IN_MONTH) and 1 <= day <= _DAYS_IN_MONTH[month - 1]):
            raise ValueError(f"{month:02}-{day:02} is no day of the year. Write month and day, such as 12-20")
    return YearlySpan(first, last)


def _period(value: object) -> str:
    text = _text(value, "a period").strip()
    parse_period(
        text, today=_ANY_DAY, zone=ZoneInfo("UTC")
    )  # only whether it is one; when it is, the report asks again
    return text


def _number_pattern(value: object) -> str:
    text = _text(value, "a regular expression")
    try:
        groups = re.compile(text).groups
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text[:60]!r} is no regular expression: {error}. In YAML, put it in single quotes") from None
    if not groups:
        raise ValueError(f"{text[:60]!r} captures nothing. Put the number in brackets, such as '(\\d+)%'")
    return text


def _cause_pattern(value: object) -> str:
    text = _text(value, "a regular expression")
    if not text.strip():
        raise ValueError("is empty. Write a few telling words of the message")
    return bounded(text)


def _secret_key(value: object) -> str:
    text = _text(value, "the path of a key file")
    if "PRIVATE KEY" in text:
        raise ValueError("a private key stands here itself. Secrets are given by reference: write the key file's path")
    return text


def _server(value: object) -> str:
    text = _text(value, "an address")
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or any(map(str.isspace, text)):
        raise ValueError("this is no address of a server. Write it such as http://127.0.0.1:9093")
    if "@" in parts.netloc:
        raise ValueError("a name or password stands here itself. Take it out; a token is given as bearer: {env: NAME}")
    if parts.query or parts.fragment:
        raise ValueError("an address of a server has no ? and no #. Write it such as http://127.0.0.1:9093")
    return text


def _public_key(value: object) -> str:
    text = _text(value, "a public key")
    if "PRIVATE KEY" in text:
        raise ValueError("a private key stands here. Write the public one, in one line: ssh-ed25519 AAAA…")
    if problem := problem_of_key(text):
        raise ValueError(problem)
    return text


def _shape(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


def _amount_shape(pattern: str, least: int) -> WithJsonSchema:
    number = {"type": "integer", "minimum": least}
    return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": pattern}], "examples": [3, "25%"]})


_PERCENT = r"^\d{1,3}(\.\d{1,3})? ?%$"
_DAY_SHAPE = {
    "anyOf": [
        {"type": "string", "examples": ["saturday", "weekdays", "daily", "second tuesday", "day 15", "last workday"]},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "examples": [["sat", "sun"]]},
    ]
}

Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]*$", max_length=80)]
Variable = Annotated[str, BeforeValidator(_variable), _shape(r"^[A-Za-z_][A-Za-z0-9_]*$", "redundancy_group")]
TimeOfDay = Annotated[time, BeforeValidator(_clock), _shape(r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", "22:00")]
Length = Annotated[Duration, BeforeValidator(_duration), _shape(_DURATION, "4h", "1h30m", "1d")]
Rarity = Annotated[Duration, BeforeValidator(_rarity), _shape(r"^\d+mo$|^(?=.)(\d+w)?(\d+d)?$", "1mo", "30d")]
Span = Annotated[timedelta, BeforeValidator(_span), _shape(_DURATION, "45m", "2h", "0m")]
SomeSpan = Annotated[timedelta, BeforeValidator(_some_span), _shape(_DURATION, "5m", "1h")]
Day = Annotated[DayRule, BeforeValidator(_day), WithJsonSchema(_DAY_SHAPE)]
Month = Annotated[int, BeforeValidator(_month), WithJsonSchema({"type": "string", "examples": ["jan", "july"]})]
Weekday = Annotated[int, BeforeValidator(_weekday), WithJsonSchema({"type": "string", "examples": ["mon", "friday"]})]
Date = Annotated[date, BeforeValidator(_date), _shape(r"^\d{4}-\d\d-\d\d$", "2026-12-31")]
Zone = Annotated[str, BeforeValidator(_zone), _shape(r"^(UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+)+)$", "Europe/Berlin", "UTC")]
Budget = Annotated[Amount, BeforeValidator(_budget), _amount_shape(_PERCENT, 0)]
Size = Annotated[Amount, BeforeValidator(_size), _amount_shape(_PERCENT, 1)]
Comparison = Annotated[
    Threshold, BeforeValidator(_threshold), _shape(r"^\s*(<=|>=|==|!=|<|>)\s*-?\d+(\.\d+)?\s*$", "> 80", "< 5")
]
Instant = Annotated[
    datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "examples": [_SUCH_AS[-25:-1]]})
]
Yearly = Annotated[YearlySpan, BeforeValidator(_yearly), _shape(r"^\d\d-\d\d\.\.\d\d-\d\d$", "12-20..01-06")]
NumberPattern = Annotated[str, BeforeValidator(_number_pattern), WithJsonSchema({"type": "string", "format": "regex"})]
CausePattern = Annotated[
    str,
    BeforeValidator(_cause_pattern),
    WithJsonSchema({"type": "string", "format": "regex", "minLength": 1, "maxLength": LONGEST}),
]
KeyFile = Annotated[str, BeforeValidator(_secret_key), WithJsonSchema({"type": "string", "minLength": 1})]
Server = Annotated[str, BeforeValidator(_server), _shape(r"^https?://[^\s@?#]+$", "http://127.0.0.1:9093")]
PublicKey = Annotated[str, BeforeValidator(_public_key), _shape(r"^(ssh-|ecdsa-|sk-)\S+ \S", "ssh-ed25519 AAAA")]
Period = Annotated[
    str,
    BeforeValidator(_period),
    WithJsonSchema({"type": "string", "examples": ["last_week", "last_month", "last_quarter", "2026-Q3"]}),
]
Texts = Annotated[
    list[Text],
    BeforeValidator(_several),
    Field(min_length=1),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
    ),
]
Paths = Texts
Days = Annotated[int, Field(ge=-366, le=366)]
Nth = Annotated[int, Field(ge=1, le=1000)]
Count = Annotated[int, Field(ge=1)]
FreeForm = dict[str, Any]
