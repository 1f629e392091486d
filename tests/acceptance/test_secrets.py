"""Secrets that were planted wherever secrets can come from are found nowhere afterwards."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.maintenance import Maintenance
from tests.acceptance.planted import Planted, Watch
from tests.acceptance.processes import end_all, until
from tests.adapters.password_server import PasswordServer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

SECRETS = """
secrets:
  vault: {{default: {{command: "cat {elsewhere}/vault"}}}}
  become: {{web-01: {{env: WEB_BECOME}}, web-02: {{keyring: wellkept/become}}}}
  login: {{door-01: {{file: secrets/login}}}}
dead_man_ping: {{url: "${{PING}}", every: 1m}}
"""

RING = """\
import pathlib
from keyring.backend import KeyringBackend

class Ring(KeyringBackend):
    priority = 1
    def get_password(self, service, username):
        return pathlib.Path(__file__).with_name("ring").read_text()
    def set_password(self, service, username, password):
        raise NotImplementedError
"""

# What a careless playbook may do with secrets; `said` is a list of them.
CARELESS = """\
- name: Careless
  hosts: all
  gather_facts: false
  vars: {{said: "{{{{ query('file', {paths}) + [lookup('env', 'WEB_BECOME'), lookup('env', 'PING')] }}}}"}}
  tasks:
    - name: Print
      ansible.builtin.debug:
        msg: >-
          {{{{ item }}}} {{{{ item | b64encode }}}} {{{{ ('ana:' ~ item) | b64encode }}}}
          {{{{ item | urlencode }}}} {{{{ item | to_json | to_json }}}}
      loop: "{{{{ said }}}}"
    - name: Print what it was given
      ansible.builtin.debug: {{msg: "{{{{ ansible_become_password | default('') }}}} {{{{ ansible_password | default('') }}}}"}}
    - name: Write to both outputs
      ansible.builtin.shell: {{cmd: "tee /dev/stderr; exit 3", stdin: "{{{{ said | to_nice_json }}}}"}}
      ignore_errors: true
    - name: Keep a secret of its own
      ansible.builtin.command: {{cmd: cat, stdin: "{{{{ vaulted }}}}"}}
      no_log: true
    - name: Leave it where a health check finds it
      ansible.builtin.copy: {{content: "{{{{ said | join(' ') }}}}", dest: "{{{{ left_at }}}}", mode: "0600"}}
    - name: Fail at a long message
      ansible.builtin.fail: {{msg: "{{{{ 'x' * 4000 }}}} cannot log in: {{{{ said }}}}"}}
      when: inventory_hostname == "web-02"
"""

CHECK = 'health: {said: {probe: ssh, run: "cat {{ left_at }}; cat {{ left_at }} >&2", hosts: all, every: 1m, down_after: 1}}\n'


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The folder of temporary files, with a short name: sockets lie there."""
    with tempfile.TemporaryDirectory(prefix="wk") as folder:
        yield Path(folder)


@pytest.fixture
def planted(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Planted, Planted]:
    """Secrets in files, a keyring and a vault, and those that the user has in his environment."""
    kept, own = Planted("vault", "ring", "login", "vaulted"), Planted("become", "ping")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    for name in ("vault", "ring", "login", "vaulted"):
        (elsewhere / name).write_text(kept[name])
    (elsewhere / "a_ring.py").write_text(RING)
    more = {"PYTHON_KEYRING_BACKEND": "a_ring.Ring", "PYTHONPATH": str(elsewhere), "TMPDIR": str(temporary)}
    for name, value in {
        "WEB_BECOME": own["become"],
        "PING": f"http://127.0.0.1:9/{own.middle('ping')}",
        **more,
    }.items():
        monkeypatch.setenv(name, value)
    return kept, own


@pytest.fixture
def lax() -> Iterator[None]:
    """An umask that forbids nothing."""
    was = os.umask(0)
    yield
    os.umask(was)


@pytest.fixture
def careless(site: Maintenance, lax: None, planted: tuple[Planted, Planted], tmp_path: Path) -> Iterator[Maintenance]:
    """A repository full of secrets, used with an umask that forbids nothing: two hosts take a key, one a password, and a playbook prints everything."""
    kept, elsewhere, root = planted[0], tmp_path / "elsewhere", site.root
    with PasswordServer(tmp_path / "server", kept["login"]) as server:
        (root / "inventories" / "all").mkdir()
        (root / "inventories" / "all" / "lab.yml").write_text(site.lab.inventory.read_text())
        left_at = {
            "left_at": str(tmp_path / "left"),
            "ansible_python_interpreter": sys.executable,
            "ansible_ssh_use_tty": False,
        }
        door = {"all": {"hosts": {"door-01": server.variables(**left_at)}}}
        (root / "inventories" / "all" / "door.yml").write_text(json.dumps(door))
        site.lay_out("inventories/all")
        with (root / "wellkept.yml").open("a") as settings:
            settings.write(SECRETS.format(elsewhere=elsewhere))
        (root / "secrets").mkdir()
        (root / "secrets" / "login").write_text(kept["login"] + "\n")
        (root / "secrets" / "login").chmod(0o600)
        (root / "group_vars").mkdir(exist_ok=True)
        (root / "inventories" / "all" / "group_vars").mkdir()
        own = f"left_at: /root/{site.mark}\nvaulted: !vault |\n{encrypted(elsewhere)}"
        (root / "inventories" / "all" / "group_vars" / "all.yml").write_text(own)
        (root / "ansible.cfg").write_text("[defaults]\n[connection]\npipelining = true\n")
        paths = json.dumps([str(elsewhere / name) for name in ("vault", "ring", "login")]).strip("[]").replace('"', "'")
        for name in ("by-hand", "by-itself"):
            (root / "playbooks" / f"{name}.yml").write_text(CARELESS.format(paths=paths))
        site.schedule("by-itself", "web-01:door-01", effect="read_only")
        site.schedule("by-hand", "web-02", opened=timedelta(hours=-2), effect="read_only")
        (root / "schedules" / "health.yml").write_text(CHECK.replace("{{ left_at }}", f"/root/{site.mark}"))
        yield site
        end_all(root)


def encrypted(elsewhere: Path) -> str:
    """The secret that only a vault holds, as a variable's value."""
    program = Path(sys.executable).with_name("ansible-vault")
    command = [str(program), "encrypt", "--vault-id", f"default@{elsewhere}/vault", "--output", "-"]
    text = (elsewhere / "vaulted").read_text()
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return "".join(f"  {line}\n" for line in done.stdout.splitlines())


def use_everything(site: Maintenance) -> list[str]:
    """Run by hand and by a daemon, ask, report, export; what every command said."""
    root = site.root
    site.ledger_as_of(timedelta(hours=1))
    served = site.serve()
    until(lambda: site.is_settled("by-itself"), seconds=120, what="the daemon's run")
    site.stop(served)
    said = [site.run("run", "by-hand", code=None)]
    number = str(site.runs("by-hand")[0].number)
    today = datetime.now(UTC).date()
    period = f"{today - timedelta(days=2)}..{today + timedelta(days=2)}"
    commands = (
        ("health", "web-01", "door-01"),
        ("status",),
        ("tickets", "list"),
        ("tickets", "show", "1"),
        ("runs", "show", number),
        ("runs", "show", number, "--format", "json"),
        ("why", "web-02"),
        ("plan", "by-hand"),
        ("hosts", "show", "web-02"),
        ("doctor",),
        ("doctor", "door-01"),
        ("record", "verify"),
        ("record", "export", str(root.parent / "copy")),
        ("report", "auditor", "--period", period, "--format", "html", "--output", str(root / "out")),
        ("report", "auditor", "--period", period, "--format", "json", "--output", str(root / "out")),
    )
    said += [site.run(*words, code=None) for words in commands]
    return [f"{answer.args}\n{answer.stdout}{answer.stderr}" for answer in said]


def open_to_others(*folders: Path) -> list[Path]:
    """What somebody else than the owner and his group could read, write or enter; a public key is for all."""
    made = [path for folder in folders for path in (folder, *folder.iterdir()) if path.suffix != ".pub"]
    return [path for path in made if path.lstat().st_mode & stat.S_IRWXO]


def test_no_planted_secret_is_found_anywhere_afterwards(
    careless: Maintenance, planted: tuple[Planted, Planted], tmp_path: Path, temporary: Path
) -> None:
    kept, own = planted
    root, state = careless.root, careless.root / "var"

    with Watch(kept, known_to_us=own) as watch:
        said = use_everything(careless)

    assert watch.seen == set()
    assert {"ansible-playbook", "wellkept", "ssh"} <= watch.looked_at
    for planted_here in planted:
        assert [text for text in said if planted_here.in_bytes(text.encode())] == []
        assert planted_here.in_files(state, root / "out", tmp_path / "copy", temporary, careless.said_by()) == []
        assert planted_here.in_database(state / "wellkept.db") == []
    assert any("********" in text for text in said)
    assert careless.outcomes("by-itself") == {"web-01": "changed", "door-01": "changed"}
    assert careless.outcomes("by-hand") == {"web-02": "failed"}
    assert list(state.rglob("private")) == []
    assert open_to_others(state, root / "out") == []
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o700
