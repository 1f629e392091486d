"""Ports and URLs are asked of real servers on the loopback address."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runner.adapters.asking import NoAnswer
from runner.adapters.http import MOST_BODY, HttpClient
from runner.adapters.probes import Probes
from runner.domain.health import Answer, Check, Condition, Probe, judge
from tests.adapters.real_sshd import free_port

ENVIRON = {"PATH": os.environ["PATH"]}


class Pages(BaseHTTPRequestHandler):
    """Answers /<number> with that status; /moved, /slow, /drip, /endless, /silent and /who as they are called."""

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].strip("/")
        if name == "silent":
            time.sleep(5)
            return
        status = int(name) if name.isdigit() else 302 if name == "moved" else 200
        self.send_response(status)
        if name == "moved":
            self.send_header("Location", "/200")
        self.end_headers()
        if name == "slow":
            time.sleep(1.5)
        if name == "who":
            self.wfile.write(f"{self.headers['Host']} {self.path} {self.headers['User-Agent']}".encode())
        self.write_on(name)

    def write_on(self, name: str) -> None:
        pieces = {"drip": (b".", 100_000, 0.1), "endless": (b"x" * 65536, 100_000, 0)}.get(name, (b"", 0, 0))
        try:
            for _ in range(pieces[1]):
                self.wfile.write(pieces[0])
                time.sleep(pieces[2])
        except OSError:
            return

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def serving(server: ThreadingHTTPServer) -> Iterator[int]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def port() -> Iterator[int]:
    yield from serving(ThreadingHTTPServer(("127.0.0.1", 0), Pages))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for localhost, with its key in the same file."""
    path = tmp_path / "certificate.pem"
    argv = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    subprocess.run(
        [*argv, "-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", f"{path}.crt"],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def tls_port(certificate: Path) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from serving(server)


@pytest.fixture
def probes(tmp_path: Path) -> Iterator[Probes]:
    probes = Probes(project=tmp_path, environ=ENVIRON)
    yield probes
    probes.close()


def web(url: str, **more: object) -> Check:
    return Check(
        "web-answers",
        Probe.HTTP,
        "all",
        timedelta(minutes=1),
        "production",
        **{"url": url, "within": timedelta(seconds=5), **more},
    )


def tcp(**more: object) -> Check:
    return Check(
        "reachable", Probe.TCP, "all", timedelta(minutes=1), "production", **{"within": timedelta(seconds=5), **more}
    )


def ask(probes: Probes, check: Check, variables: dict[str, object] | None = None, host: str = "localhost") -> Answer:
    (answer,) = probes.ask(check, {host: variables or {}})
    return answer


@pytest.mark.parametrize(
    ("path", "expected", "condition"),
    [("200", 200, Condition.OK), ("503", 200, Condition.CRITICAL), ("404", 404, Condition.OK)],
)
def test_the_status_is_brought_back(probes: Probes, port: int, path: str, expected: int, condition: Condition) -> None:
    check = web(f"http://127.0.0.1:{port}/{path}", status=expected)

    answer = ask(probes, check)

    assert (answer.reached, answer.status) == (True, int(path))
    assert judge(check, answer).condition is condition


def test_a_redirect_is_an_answer_and_not_followed(probes: Probes, port: int) -> None:
    assert ask(probes, web(f"http://127.0.0.1:{port}/moved")).status == 302


def test_the_url_is_filled_for_each_host(probes: Probes, port: int) -> None:
    check = web(f"http://{{{{ ansible_host }}}}:{port}/who?{{{{ inventory_hostname }}}}")

    answer = ask(probes, check, {"ansible_host": "127.0.0.1"}, host="web-01.example.com")

    assert answer.text.startswith(f"127.0.0.1:{port} /who?web-01.example.com wellkept/")


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://{{ nonsense }}/", "cannot be filled: 'nonsense' is undefined"),
        ("http://{{ inventory_hostname", "cannot be filled: line 1"),
        ("ftp://localhost/", "is no URL that can be asked"),
        ("localhost", "is no URL that can be asked"),
        ("http://nowhere.invalid/", "its name cannot be resolved"),
    ],
)
def test_a_url_that_cannot_be_asked_is_our_side(probes: Probes, url: str, error: str) -> None:
    answer = ask(probes, web(url))

    assert (answer.reached, answer.asked) == (False, False)
    assert error in answer.error


def test_a_server_that_refuses_is_no_answer(probes: Probes) -> None:
    answer = ask(probes, web(f"http://127.0.0.1:{free_port()}/"))

    assert (answer.reached, answer.asked, answer.error) == (False, True, "connection refused")


@pytest.mark.parametrize("path", ["silent", "slow", "drip"])
def test_a_server_that_does_not_answer_in_time_is_no_answer(probes: Probes, port: int, path: str) -> None:
    answer = ask(probes, web(f"http://127.0.0.1:{port}/{path}", within=timedelta(seconds=1)))

    assert (answer.reached, answer.asked, answer.error) == (False, True, "no answer within 1 s")


def test_of_an_endless_answer_only_the_beginning_is_read(probes: Probes, port: int) -> None:
    answer = ask(probes, web(f"http://127.0.0.1:{port}/endless"))

    assert answer.status == 200
    assert len(answer.text) == MOST_BODY


def test_proxies_of_the_environment_are_not_used(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    assert HttpClient().get(f"http://127.0.0.1:{port}/200", within=5).status == 200


def test_a_certificate_that_nobody_vouches_for_is_refused(probes: Probes, tls_port: int) -> None:
    answer = ask(probes, web(f"https://localhost:{tls_port}/200"))

    assert (answer.reached, answer.asked) == (False, True)
    assert "certificate verify failed" in answer.error


def test_a_certificate_of_a_trusted_authority_is_accepted_for_its_own_name_only(
    tls_port: int, certificate: Path
) -> None:
    client = HttpClient(authorities=f"{certificate}.crt")

    assert client.get(f"https://localhost:{tls_port}/200", within=5).status == 200
    with pytest.raises(NoAnswer, match="certificate verify failed"):
        client.get(f"https://127.0.0.1:{tls_port}/200", within=5)


def test_a_server_that_speaks_no_http_is_no_answer(probes: Probes, tls_port: int) -> None:
    assert not ask(probes, web(f"http://localhost:{tls_port}/200")).reached


def test_an_open_port_answers(probes: Probes, port: int) -> None:
    answer = ask(
        probes, tcp(port=port), {"ansible_host": "127.0.0.1", "ansible_ssh_common_args": "-F none"}, host="web-01"
    )

    assert (answer.host, answer.reached, answer.error) == ("web-01", True, "")


def test_a_closed_port_is_no_answer(probes: Probes) -> None:
    closed = free_port()

    answer = ask(probes, tcp(port=closed), {"ansible_host": "127.0.0.1"})

    assert (answer.reached, answer.asked, answer.error) == (False, True, f"port {closed}: connection refused")


def test_a_port_that_stays_silent_is_no_answer(probes: Probes) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))

        answer = ask(probes, tcp(port=port, within=timedelta(seconds=1)), {"ansible_host": "127.0.0.1"})

        for one in waiting:
            one.close()
    assert answer.error == f"port {port} did not answer within 1 s"


def test_without_a_port_of_its_own_the_check_takes_the_ssh_port(probes: Probes, port: int) -> None:
    assert ask(probes, tcp(), {"ansible_host": "127.0.0.1", "ansible_port": port}).reached


def test_a_host_that_only_ssh_config_knows_is_found(probes: Probes, port: int, tmp_path: Path) -> None:
    (tmp_path / "ssh_config").write_text("Host web-01\n  HostName 127.0.0.1\n")

    assert ask(probes, tcp(port=port), {"ansible_ssh_common_args": "-F ssh_config"}, host="web-01").reached


def test_a_local_host_and_a_network_device_are_asked_at_their_own_address(probes: Probes, port: int) -> None:
    local = ask(probes, tcp(port=port), {"ansible_connection": "local"}, host="controller")
    device = ask(
        probes, tcp(port=port), {"ansible_connection": "network_cli", "ansible_host": "127.0.0.1"}, host="switch"
    )

    assert local.reached
    assert device.reached


def test_a_name_that_cannot_be_resolved_is_our_side(probes: Probes) -> None:
    answer = ask(probes, tcp(port=1), host="nowhere.invalid")

    assert (answer.reached, answer.asked) == (False, False)
    assert "nowhere.invalid cannot be resolved" in answer.error
