"""One call of Ansible, in a process of its own below the leash: resolves secrets, calls ansible-runner, redacts, writes the spool.

It is started with the path of its order (JSON, private) and ends with exit code 0 when its last line stands in the spool, whatever became of the playbook.
Whatever may hold a secret lies in one private folder, which is removed before the last line is written.
"""

from __future__ import annotations

import json
import os
import queue
import shlex
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.adapters.ansible.events import Record, Shaper, bounded
from runner.adapters.ansible.isolation import environment_inside, isolation, with_inventories
from runner.adapters.ansible.pipelining import source_for
from runner.adapters.ansible.redaction import Redactor
from runner.adapters.ansible.secrets import SecretMissingError, Source, place, resolve
from runner.adapters.ansible.settings import additions
from runner.adapters.ansible.spool import SpoolWriter
from runner.adapters.zone import give_back_zone
from runner.domain.execution.outcome import EventKind

Order = Mapping[str, Any]

KINDS = ("vault", "become", "login")
PASSWORDS = {"become": "ansible_become_password", "login": "ansible_password"}


class Pen(threading.Thread):
    """Writes the spool from a queue, so that ansible-runner's loop never waits for a disk or a regular expression."""

    def __init__(self, *, spool: SpoolWriter, shaper: Shaper, redactor: Redactor) -> None:
        """Nothing is written before `start`, which must come after ansible-playbook was forked."""
        super().__init__(daemon=True)
        self._spool, self._shaper, self._redactor = spool, shaper, redactor
        self._queue: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._begun = False
        self.problem: OSError | None = None

    def take(self, event: Mapping[str, Any]) -> bool:
        """ansible-runner's event handler; False so that it keeps no file of the event."""
        self._begin()
        self._queue.put(event)
        return False

    @property
    def lost(self) -> str:
        """How many events came without their content, in words; empty when none did."""
        return f"{self._shaper.lost} events came without their content" if self._shaper.lost else ""

    def finish(self) -> None:
        """Write what is left, and wait until it is written."""
        self._begin()
        self._queue.put(None)
        self.join()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self.start()

    def run(self) -> None:
        """Write until the end; after a failed write the rest is thrown away, and the missing last line tells of it."""
        while (event := self._queue.get()) is not None:
            self._write_all(self._shaper.shape(self._redactor.event(event)))
        self._write_all(self._shaper.rest())

    def _write_all(self, records: Iterator[Record]) -> None:
        for record in records:
            try:
                if self.problem is None:
                    self._spool.write(self._redactor.record(record))
            except OSError as error:
                self.problem = error


def execute(order: Order, *, environ: Mapping[str, str]) -> int:
    """Carry out one order; 0 when the record is whole."""
    private, project = Path(order["private"]), Path(order["project"])
    spool = SpoolWriter(Path(order["spool"]))
    problem = ""
    found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    try:
        for kind in KINDS:
            found[kind] = resolve_all(kind, order, environ=environ, cwd=project)
    except SecretMissingError as error:
        problem = str(error)
    others = resolve_others(order, found, environ=environ, cwd=project)
    redactor = Redactor([*order["hidden"], *others, *(each for values in found.values() for each in values.values())])
    pen = Pen(spool=spool, shaper=Shaper(project=project), redactor=redactor)
    status: str = "failed"
    code: int | None = 2
    problem = problem or requirements_gone(order)
    if not problem:
        status, code, problem = call_ansible(order, secrets=found, environ=environ, handler=pen.take)
    pen.finish()
    shutil.rmtree(private, ignore_errors=True)
    if pen.problem is not None:
        raise pen.problem
    if problem:
        spool.write(own_line(EventKind.NOTE, text=bounded(redactor.text(problem))))
    spool.write(own_line(EventKind.END, status=status, exit_code=code, text=pen.lost))
    spool.close()
    return 0


def requirements_gone(order: Order) -> str:
    """What is wrong when the roles and collections that were installed for this run are no longer there; nothing when they are."""
    folder = order["requirements"]
    if folder and not Path(folder).is_dir():
        return f"{folder}: the roles and collections that were installed for this run are gone. Start it anew."
    return ""


def resolve_all(kind: str, order: Order, *, environ: Mapping[str, str], cwd: Path) -> dict[str, str]:
    """The secrets of one kind that this piece needs, by name. Raises SecretMissingError."""
    return {
        name: resolve(place(kind, name), Source(**source), environ=environ, cwd=cwd)
        for name, source in order[kind].items()
        if kind == "vault" or order[f"{kind}_hosts"].get(name)
    }


def resolve_others(
    order: Order, known: Mapping[str, Mapping[str, str]], *, environ: Mapping[str, str], cwd: Path
) -> Iterator[str]:
    """The secrets that this piece does not need, as far as they can be found: only to hide them, should the playbook come upon one."""
    for kind in KINDS:
        for name, source in order[kind].items():
            with suppress(SecretMissingError):
                if name not in known[kind]:
                    yield resolve(place(kind, name), Source(**source), environ=environ, cwd=cwd)


def own_line(kind: EventKind, **more: object) -> Record:
    """A line that is the executor's own, without a counter of ansible-runner."""
    told = {key: value for key, value in more.items() if value is not None and value != ""}
    return {"kind": kind.value, "at": datetime.now(UTC).isoformat(), **told}


def call_ansible(
    order: Order,
    *,
    secrets: Mapping[str, Mapping[str, str]],
    environ: Mapping[str, str],
    handler: Callable[[Mapping[str, Any]], bool],
) -> tuple[str, int | None, str]:
    """Run the playbook; ansible-runner's status and exit code, and what went wrong outside of Ansible."""
    import ansible_runner  # slow to load, and everything above can fail first

    private = Path(order["private"])
    (private / "runner").mkdir(mode=0o700)
    passwords = password_inventory(private, order, secrets)
    inventory = [*order["inventory"], *passwords, *pipelining_inventory(private, order)]
    environment = added_environment(order, environ, passwords=bool(passwords))
    environment = environment_inside(environment, environ) if order["image"] else environment
    try:
        runner = ansible_runner.interface.init_runner(
            private_data_dir=str(private / "runner"),
            project_dir=order["project"],
            playbook=order["playbook"],
            inventory=inventory,
            limit=f"@{order['limit']}" if order["limit"] else None,
            cmdline=shlex.join(arguments(order, secrets["vault"])),
            tags=",".join(order["tags"]) or None,
            skip_tags=",".join(order["skip_tags"]) or None,
            forks=order["forks"],
            envvars=environment,
            event_handler=handler,
            status_handler=forget_command,
            fact_cache_type="",  # the user's fact cache stays the user's
            settings={"pexpect_timeout": 1, "suppress_output_file": True},
            suppress_env_files=True,
            **isolation(order, environ),
            ignore_logging=True,
            quiet=True,
        )
        keep_host_key_checking(runner.config.env, environ)
        runner.config.command = with_inventories(runner.config.command, inventory)
        runner.run()
    except (OSError, ValueError, ansible_runner.exceptions.AnsibleRunnerException) as error:
        return "failed", 70, f"Ansible could not be started: {error}"
    return runner.status, runner.rc, ""


def keep_host_key_checking(environment: dict[str, str], environ: Mapping[str, str]) -> None:
    """Take back what ansible-runner does by itself: it switches host key checking off where the environment does not mention it."""
    if "ANSIBLE_HOST_KEY_CHECKING" not in environ:
        environment.pop("ANSIBLE_HOST_KEY_CHECKING", None)


def forget_command(status: Mapping[str, Any], runner_config: Any) -> None:  # noqa: ANN401
    """Remove ansible-runner's file with the whole environment as soon as it has been written."""
    if status["status"] == "running":
        Path(runner_config.artifact_dir, "command").unlink(missing_ok=True)


def added_environment(order: Order, environ: Mapping[str, str], *, passwords: bool) -> dict[str, str]:
    """Everything that is added to Ansible's environment."""
    found = additions(
        environ,
        project=Path(order["project"]),
        config=order["config"],
        programs=order["programs"],
        requirements=Path(order["requirements"]) if order["requirements"] else None,
        control_path=Path(order["control_path"]),
        passwords=passwords,
    )
    return {key: value for addition in found for key, value in addition.environment.items()} | {
        "WELLKEPT_STOP": order["stop"]
    }


def arguments(order: Order, vault: Mapping[str, str]) -> list[str]:
    """What is added to the command line; never a value, only paths of private files."""
    private = Path(order["private"])
    found = [
        f"--vault-id={name}@{keep(private / f'vault-{number}', secret)}"
        for number, (name, secret) in enumerate(vault.items())
    ]
    if order["extra_vars"]:
        found += ["--extra-vars", f"@{keep(private / 'extra_vars.json', json.dumps(order['extra_vars']))}"]
    found += ["--check"] if order["check"] else []
    found += ["--diff"] if order["diff"] else []
    return found + (["--flush-cache"] if order["flush_cache"] else [])


def password_inventory(private: Path, order: Order, secrets: Mapping[str, Mapping[str, str]]) -> list[str]:
    """A further inventory with the passwords of the hosts that need one; none without passwords. Of several for a host the last one counts."""
    known: dict[str, dict[str, str]] = {}
    for kind, variable in PASSWORDS.items():
        for name, password in secrets[kind].items():
            for host in order[f"{kind}_hosts"].get(name, ()):
                known.setdefault(host, {})[variable] = password
    lines = [f"    {yaml_text(host)}: {{{yaml_variables(variables)}}}" for host, variables in known.items()]
    return [str(keep(private / "passwords.yml", "\n".join(["all:", "  hosts:", *lines, ""])))] if lines else []


def pipelining_inventory(private: Path, order: Order) -> list[str]:
    """A further inventory source that switches pipelining on where it was proved; none where it was nowhere, or where our owner is older and knows of none."""
    hosts = order.get("pipelined", [])
    return [str(keep(private / "pipelining.yml", source_for(hosts)))] if hosts else []


def yaml_variables(variables: Mapping[str, str]) -> str:
    """Variables within YAML's braces; Ansible takes none of them for a template."""
    return ", ".join(f"{name}: !unsafe {yaml_text(value)}" for name, value in variables.items())


def yaml_text(text: str) -> str:
    """A text as YAML's double-quoted scalar, which JSON's strings are as long as nothing is split into surrogates."""
    return json.dumps(text, ensure_ascii=False)


def keep(path: Path, text: str) -> Path:
    """Write a new file that only its owner can read."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8")
    return path


def main(path: str) -> int:
    """Carry out the order in that file."""
    give_back_zone(os.environ)
    os.environ.pop(
        "ANSIBLE_STDOUT_CALLBACK", None
    )  # ansible-runner would build its own on the user's, which nobody sees
    return execute(json.loads(Path(path).read_text(encoding="utf-8")), environ=dict(os.environ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
