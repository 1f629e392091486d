"""Alerts are heard from a real Alertmanager; what cannot be heard is told, without a secret."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runner.adapters.alerts import GOOD_FOR, Alertmanagers
from runner.domain.settings import Alertmanager as Source
from runner.domain.settings import SecretSource
from runner.errors import Unknown
from tests.adapters.real_alertmanager import Alertmanager, alertmanager
from tests.adapters.real_sshd import free_port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Alertmanager]:
    with alertmanager(tmp_path) as started:
        yield started


def asking(root: Path, *, seconds: list[float] | None = None, **environ: str) -> Alertmanagers:
    """An adapter whose clock stands still, or goes as the test says."""
    clock = seconds or [0.0]
    return Alertmanagers(root, environ=environ, monotonic=lambda: clock[0])


def names(root: Path, url: str) -> list[str]:
    return sorted(alert.name for alert in asking(root).firing(Source(url)))


def test_an_alert_that_fires_is_heard_with_its_labels(server: Alertmanager, tmp_path: Path) -> None:
    server.fire("HostDown", instance="web-01:9100", severity="critical")

    (alert,) = asking(tmp_path).firing(Source(server.url))

    assert (alert.name, alert.labels["instance"], alert.labels["severity"]) == ("HostDown", "web-01:9100", "critical")


def test_where_nothing_fires_nothing_is_heard(server: Alertmanager, tmp_path: Path) -> None:
    assert names(tmp_path, server.url + "/") == []


def test_alerts_that_ended_or_are_silenced_or_inhibited_do_not_fire(server: Alertmanager, tmp_path: Path) -> None:
    server.silence("KnownTrouble")
    server.fire("KnownTrouble", instance="web-01:9100")
    server.fire("HostDown", instance="web-01:9100")
    server.fire("DiskFull", instance="web-01:9100")
    server.fire("Over", instance="web-01:9100")
    server.end("Over", instance="web-01:9100")

    assert names(tmp_path, server.url) == ["HostDown"]


def test_thousands_of_alerts_are_all_heard(server: Alertmanager, tmp_path: Path) -> None:
    crowd = [{"labels": {"alertname": "Crowd", "instance": f"web-{number}:9100"}} for number in range(2000)]
    server.post("alerts", crowd)

    assert len(asking(tmp_path).firing(Source(server.url))) == 2000


def test_an_answer_is_good_for_a_moment_and_then_asked_for_again(server: Alertmanager, tmp_path: Path) -> None:
    seconds = [0.0]
    source, adapter = Source(server.url), asking(tmp_path, seconds=seconds)
    heard = [len(adapter.firing(source))]
    server.fire("HostDown", instance="web-01:9100")
    for moment in (GOOD_FOR - 1, GOOD_FOR):
        seconds[0] = moment
        heard.append(len(adapter.firing(source)))

    assert heard == [0, 0, 1]


def test_one_that_is_not_there_cannot_be_asked(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(Unknown, match=f"Alertmanager at {url} cannot be asked: connection refused"):
        asking(tmp_path).firing(Source(url))


@dataclass
class Other:
    """A server that is no Alertmanager, or one behind a guard."""

    status: int = 200
    body: bytes = b"[]"
    heard: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def other() -> Iterator[Other]:
    said = Other()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said.heard.append(f"{self.path} {self.headers['Authorization']}")
            self.send_response(said.status)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said.url = f"http://127.0.0.1:{server.server_port}"
    yield said
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b"{}x", b"null", b'""', b"[1]", b"[{}]", b'[{"labels": 5}]', b"5", b'[{"labels": {']
)
def test_an_answer_that_is_no_list_of_alerts_is_no_all_clear(other: Other, tmp_path: Path, body: bytes) -> None:
    other.body = body

    with pytest.raises(Unknown, match="its answer is no list of alerts; check that url: is Alertmanager's own"):
        asking(tmp_path).firing(Source(other.url))


@pytest.mark.parametrize(("status", "told"), [(503, "status 503"), (404, "status 404"), (302, "status 302")])
def test_any_other_status_is_no_all_clear(other: Other, tmp_path: Path, status: int, told: str) -> None:
    other.status = status

    with pytest.raises(Unknown, match=told):
        asking(tmp_path).firing(Source(other.url))


def test_a_token_is_sent_and_never_told(other: Other, tmp_path: Path) -> None:
    source = Source(other.url, bearer=SecretSource(env="TOKEN"))
    asking(tmp_path, TOKEN="s3cret-token").firing(source)
    other.status = 401

    with pytest.raises(Unknown, match="status 401; check its bearer") as refused:
        asking(tmp_path, TOKEN="s3cret-token").firing(source)

    asked = "/api/v2/alerts?active=true&silenced=false&inhibited=false"
    assert other.heard == [f"{asked} Bearer s3cret-token"] * 2
    assert "s3cret" not in str(refused.value)


def test_a_token_that_cannot_be_found_is_no_all_clear(other: Other, tmp_path: Path) -> None:
    with pytest.raises(Unknown, match="alerts: alertmanager: bearer: the environment variable TOKEN is not set"):
        asking(tmp_path).firing(Source(other.url, bearer=SecretSource(env="TOKEN")))

    assert other.heard == []


def test_who_cannot_be_asked_is_not_asked_by_everybody(other: Other, tmp_path: Path) -> None:
    other.status = 503
    adapter = asking(tmp_path)
    for _ in range(5):
        with pytest.raises(Unknown):
            adapter.firing(Source(other.url))

    assert len(other.heard) == 1
