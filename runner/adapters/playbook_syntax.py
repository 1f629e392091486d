"""Has Ansible itself read playbooks before anything is run (`ansible-playbook --syntax-check`), so that what it would refuse at night is known by day.

It executes no task, reads no inventory and asks no host. What is chosen while a play goes on, such as `include_role` with a variable, it cannot tell.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from runner.adapters.ansible.redaction import Redactor
from runner.adapters.ansible.settings import UserSettings, found_behind
from runner.adapters.in_memory import in_memory
from runner.adapters.inventory import FolderOf, ansible_environment, program_of_ansible
from runner.adapters.programs import Ran, run_program
from runner.domain.execution.ansible_words import Refusal, refusal_in
from runner.errors import Problem, WellkeptError, count
from runner.ports import PlaybookAsked

TIME_LIMIT = 120.0  # seconds for one playbook
AT_ONCE = 4
LONGEST = 600  # characters of what Ansible says

_NOWHERE = "localhost,"  # an inventory that asks nobody
_ENCRYPTED = re.compile(r"vault secret|vault password|[Dd]ecrypt")


class AnsibleSyntax:
    """A `PlaybookSyntax` by the user's own Ansible."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        vault_passwords: Callable[[], Mapping[str, str]] = dict,
        installed: FolderOf = lambda _wanted, _ansible: None,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        """`vault_passwords` gives vault id -> password when asked, `installed` the folder of what requirements name; `time_limit` is in seconds."""
        self._environ, self._time_limit = environ, time_limit
        self._vault_passwords, self._installed = vault_passwords, installed

    def problems(self, asked: Sequence[PlaybookAsked], *, project: Path) -> list[Problem]:
        """The first problem of each playbook that has one; what cannot be told is a warning."""
        if not asked:
            return []
        try:
            passwords = self._vault_passwords()
        except WellkeptError as error:
            return [Problem("wellkept.yml", 0, 0, f"Ansible was not asked about playbooks: {error}", "warning")]
        found = [(each, self._installed(each.requirements, each.ansible)) for each in asked]
        lacking = [each for each, folder in found if each.requirements and folder is None]
        judged = [(each, folder) for each, folder in found if folder or not each.requirements]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            told = pool.map(lambda pair: self._problem(*pair, passwords=passwords, project=project), judged)
            return sorted({problem for problem in (*told, *not_installed(lacking)) if problem})

    def _problem(
        self, asked: PlaybookAsked, folder: Path | None, *, passwords: Mapping[str, str], project: Path
    ) -> Problem | None:
        try:
            ran = self._check(asked, passwords, folder, project)
        except (OSError, LookupError) as error:
            return Problem(asked.playbook, 0, 0, f"Ansible could not be asked about it: {error}", "warning")
        return None if ran.succeeded else problem_in(ran, asked.playbook, project=project)

    def _check(self, asked: PlaybookAsked, passwords: Mapping[str, str], folder: Path | None, project: Path) -> Ran:
        environ = ansible_environment(self._environ, project=project, ansible=asked.ansible)
        if folder:
            environ = {**environ, **found_behind(UserSettings(environ, project=project), environ, folder)}
        with in_memory(passwords) as files, private_file(json.dumps(dict(asked.extra_vars), default=str)) as variables:
            argv = [program_of_ansible("ansible-playbook", environ), "--syntax-check", "--inventory", _NOWHERE]
            argv += [f"--vault-id={name}@/dev/fd/{file}" for name, file in files.items()]
            argv += ["--extra-vars", f"@{variables}", str(project / asked.playbook)]
            ran = run_program(argv, environ=environ, time_limit=self._time_limit, cwd=project, pass_on=files.values())
        text = Redactor(passwords.values()).text
        return Ran(ran.exit_code, text(ran.stdout), text(ran.stderr), ran.cut)


def not_installed(lacking: Sequence[PlaybookAsked]) -> Iterator[Problem]:
    """That playbooks cannot be judged as long as what they need is not there, once for all of them."""
    for requirements in dict.fromkeys(each.requirements for each in lacking):
        names = [each.playbook for each in lacking if each.requirements == requirements]
        says = f"Ansible was not asked about {count(len(names), 'playbook')}: the {requirements.words} are not installed yet. `wellkept plan` installs them."
        yield Problem(requirements.files[0].name, 0, 0, says, "warning")


@contextmanager
def private_file(text: str) -> Iterator[Path]:
    """A file that only we can read, for as long as a program needs it: Ansible takes variables from no file without a name."""
    with tempfile.TemporaryDirectory(prefix="wellkept-") as folder:
        path = Path(folder, "variables.json")
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        yield path


def problem_in(ran: Ran, playbook: str, *, project: Path) -> Problem:
    """What Ansible said, at the place that it names, if that lies in the repository; what it could only not decrypt is a warning."""
    refusal = refusal_in(f"{ran.stderr}\n{ran.stdout}", project=str(project)) or Refusal(ran.words)
    says = f"Ansible refuses it: {refusal.words[:LONGEST]}"
    severity = "warning" if ran.cut or _ENCRYPTED.search(refusal.words) else "error"
    return Problem(refusal.file or playbook, refusal.line, refusal.column, says, severity)
