"""Asks Alertmanager which alerts fire, by its API v2; an answer is good for a few seconds, so that a crowd of schedules asks once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.adapters.ansible.secrets import Source, resolve
from runner.domain.execution.alerts import Alert
from runner.domain.settings import Alertmanager
from runner.errors import BadResult, Unknown

if TYPE_CHECKING:
    from runner.adapters.http import HttpClient

WITHIN = 5.0  # seconds for an answer
GOOD_FOR = 10.0  # seconds
MOST = 8 * 1024 * 1024  # bytes of an answer: some ten thousand alerts
FIRING = "/api/v2/alerts?active=true&silenced=false&inhibited=false"
OK, UNAUTHORIZED, FORBIDDEN = 200, 401, 403
Kept = tuple[Alertmanager, float, tuple[Alert, ...] | Unknown]


class Alertmanagers:
    """An `AlertSource`; safe to use from many threads."""

    def __init__(
        self, root: Path, *, environ: Mapping[str, str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`root` is where the command and the relative path of a secret start."""
        self._root, self._environ, self._monotonic = root, environ, monotonic
        self._asking = threading.Lock()
        self._kept: Kept | None = None

    def firing(self, source: Alertmanager) -> Sequence[Alert]:
        """The alerts that fire, and are neither silenced nor inhibited; raises Unknown when that cannot be heard."""
        with self._asking:
            if self._kept is None or self._kept[0] != source or self._monotonic() - self._kept[1] >= GOOD_FOR:
                heard = self._heard(source)
                self._kept = source, self._monotonic(), heard
            answer = self._kept[2]
        if isinstance(answer, Unknown):
            raise answer
        return answer

    @cached_property
    def _client(self) -> HttpClient:
        from runner.adapters.http import HttpClient  # it takes long to load, and most commands ask nobody

        return HttpClient()

    def _heard(self, source: Alertmanager) -> tuple[Alert, ...] | Unknown:
        """What it says, or why it says nothing."""
        try:
            url = source.url.rstrip("/") + FIRING
            answer = self._client.get(url, within=WITHIN, headers=self._headers(source), most=MOST)
            return alerts_in(answer.status, answer.text)
        except (Unknown, BadResult) as reason:
            return Unknown(f"Alertmanager at {source.url} cannot be asked: {reason}")

    def _headers(self, source: Alertmanager) -> dict[str, str]:
        """Plain text, and the token if it wants one."""
        plain = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if source.bearer is None:
            return plain
        token = resolve(
            "alerts: alertmanager: bearer", Source(*astuple(source.bearer)), environ=self._environ, cwd=self._root
        )
        return {**plain, "Authorization": f"Bearer {token}"}


def alerts_in(status: int, text: str) -> tuple[Alert, ...]:
    """The alerts of an answer; raises Unknown for anything else."""
    if status in {UNAUTHORIZED, FORBIDDEN}:
        raise Unknown(f"it answered with status {status}; check its bearer: in wellkept.yml")
    if status != OK:
        raise Unknown(f"it answered with status {status}")
    try:
        told = json.loads(text)
        if isinstance(told, list):
            return tuple(map(alert_from, told))
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    raise Unknown("its answer is no list of alerts; check that url: is Alertmanager's own")


def alert_from(told: Mapping[str, Any]) -> Alert:
    """One alert; whatever it lacks, it fires."""
    labels = {str(label): str(value) for label, value in told["labels"].items()}
    return Alert(labels.get("alertname", "an alert without a name"), labels)
