"""Hosts and groups as the user's own Ansible sees them, by `ansible-inventory --list`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runner.adapters.ansible.redaction import Redactor
from runner.adapters.ansible.settings import UserSettings, found_behind
from runner.adapters.ansible_configuration import SAME_MEANING, connection_defaults
from runner.adapters.in_memory import in_memory
from runner.adapters.programs import Ran, run_program
from runner.domain.execution import host_pattern
from runner.domain.execution.own_ansible import AnsibleSettings
from runner.domain.execution.requirements import Requirements
from runner.domain.settings import Inventory
from runner.errors import WellkeptError
from runner.ports import InventoryAnswer
from runner.templating import TemplateFailed, render

TIME_LIMIT = 120.0  # seconds

CONNECTION_VARIABLES = frozenset(
    {
        "ansible_connection",
        "ansible_host",
        "ansible_host_key_checking",
        "ansible_network_os",
        "ansible_pipelining",
        "ansible_port",
        "ansible_python_interpreter",
        "ansible_ssh_args",
        "ansible_ssh_common_args",
        "ansible_ssh_executable",
        "ansible_ssh_extra_args",
        "ansible_ssh_pipelining",
        "ansible_ssh_host_key_checking",
        "ansible_ssh_pkcs11_provider",
        "ansible_ssh_private_key_file",
        "ansible_ssh_timeout",
        "ansible_ssh_use_tty",
        "ansible_user",
    }
)
"""What is kept of a host's variables; never a password."""

LOGIN = "wellkept_login"
"""The name of the login secret for a host, among its variables: a reference, and never the password."""

VAULTED = "__ansible_vault"
"""A variable that is still encrypted is given as a mapping with this one key, and without its content."""

_OWN_ENVIRONMENT = {
    "ANSIBLE_DEPRECATION_WARNINGS": "False",
    "ANSIBLE_FORCE_COLOR": "0",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "False",
    "ANSIBLE_INVENTORY_EXPORT": "False",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "True",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_VERBOSITY": "0",
}

_HARMLESS = re.compile(
    r"Found both group and host with same name|Invalid characters were found in group names|A duplicate localhost-like entry was found"
    r"|Ansible is being run in a world writable directory|Collection \S+ does not support Ansible version|You are running the development version"
    r"|log file at .* is not writeable|Skipping callback plugin|The '.*' (?:option|setting) .*deprecated"
)
_KIND = re.compile(r"\[(?P<kind>WARNING|ERROR|DEPRECATED|DEPRECATION WARNING)\]:\s*|ERROR! ")
_SAID = re.compile(rf"^\s*(?={_KIND.pattern.replace('?P<kind>', '?:')})", re.MULTILINE)
_SCRIPT_SAID = re.compile(r"Standard error from inventory script:\s*(?P<words>.+)")
_NAME_IN_ENVIRONMENT = re.compile(r"\$\{(\w+)\}")
_DEEPEST_TEMPLATE = 5
_ANYBODY_RUNS = 0o111
_PLUGIN = re.compile(rb"^[\"']?plugin[\"']?\s*:", re.MULTILINE)  # the first thing that a plugin's file has to say

_Variables = Mapping[str, object]
FolderOf = Callable[[Requirements, AnsibleSettings], Path | None]  # where what requirements name is installed
_Groups = Mapping[str, Mapping[str, Sequence[str]]]


class AnsibleInventory:
    """Reads an inventory as Ansible does, with the passwords of its encrypted files where there are any."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        vault_passwords: Callable[[], Mapping[str, str]] = dict,
        logins: Callable[[], Iterable[str]] = tuple,
        installed: FolderOf = lambda _wanted, _ansible: None,
        keep: Iterable[str] = (),
        time_limit: float = TIME_LIMIT,
    ) -> None:
        """`vault_passwords` gives vault id -> password when asked, `logins` the host patterns that have a login secret.

        `installed` gives the folder of the roles and collections that requirements files name, for plugins of theirs.
        `keep` names further variables to give; `time_limit` is in seconds.
        """
        self._environ = environ
        self._vault_passwords, self._logins, self._installed = vault_passwords, logins, installed
        self._kept = CONNECTION_VARIABLES | set(keep)
        self._time_limit = time_limit

    def read(self, inventory: Inventory, *, project: Path) -> InventoryAnswer:
        """Ask `ansible-inventory` in the folder `project`; whatever goes wrong is an error in the answer, never an exception."""
        try:
            environ = self._environment(inventory, project)
            ran = self._list(
                _source(inventory.source, project=project, environ=environ), project=project, environ=environ
            )
        except (OSError, LookupError, WellkeptError) as error:
            return InventoryAnswer({}, {}, (f"inventory {inventory.name}: {error}",))
        answer = self._understood(
            ran, defaults=connection_defaults(environ, project=project), asked_for=inventory.variables
        )
        return InventoryAnswer(
            answer.hosts, answer.groups, tuple(f"inventory {inventory.name}: {error}" for error in answer.errors)
        )

    def may_change(self, inventory: Inventory, *, project: Path) -> bool:
        """Whether it is a program, asks another system by a plugin, or lies outside the folder `project`."""
        try:
            source = Path(_source(inventory.source, project=project, environ=self._environ))
        except LookupError:
            return True  # what the environment will say later is not known
        files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else []
        return any(_is_live(path, project.resolve()) for path in (source, *files) if path.exists())

    def _environment(self, inventory: Inventory, project: Path) -> dict[str, str]:
        """The environment in which the inventory's own Ansible is asked, with the collections that its plugins may come from."""
        own = ansible_environment(self._environ, project=project, ansible=inventory.ansible)
        folder = self._installed(inventory.requirements, inventory.ansible)
        return {**own, **found_behind(UserSettings(own, project=project), own, folder)} if folder else own

    def _list(self, source: str, *, project: Path, environ: Mapping[str, str]) -> Ran:
        passwords = self._vault_passwords()
        with in_memory(passwords) as files:
            vault = [f"--vault-id={name}@/dev/fd/{file}" for name, file in files.items()]
            argv = [program_of_ansible("ansible-inventory", environ), "--inventory", source, "--list", *vault]
            ran = run_program(argv, environ=environ, time_limit=self._time_limit, cwd=project, pass_on=files.values())
        return replace(ran, stderr=Redactor(passwords.values()).text(ran.stderr))

    def _understood(self, ran: Ran, *, defaults: _Variables, asked_for: Collection[str]) -> InventoryAnswer:
        errors = _errors(ran)
        try:
            listed: _Groups = json.loads(ran.stdout) if ran.succeeded else {}
        except ValueError:
            return InventoryAnswer({}, {}, (*errors, "ansible-inventory gave something that is not JSON"))
        groups = _expanded(listed)
        variables: Mapping[str, _Variables] = listed.get("_meta", {}).get("hostvars", {})  # type: ignore[assignment]
        hosts = {
            name: {
                **_chosen(variables.get(name, {}), asked_for),
                **self._connection(name, variables.get(name, {}), defaults),
            }
            for name in groups.get("all", ())
        }
        for pattern in self._logins():
            for host in host_pattern.match(pattern, hosts=tuple(hosts), groups=groups):
                hosts[host][LOGIN] = pattern
        return InventoryAnswer(hosts, groups, errors)

    def _connection(self, name: str, variables: _Variables, defaults: _Variables) -> dict[str, object]:
        """A host's own connection variables, filled where they are templates, and the defaults for the rest."""
        plain = {SAME_MEANING.get(key, key): _plain(value) for key, value in variables.items()}
        known = {"inventory_hostname": name, "inventory_hostname_short": name.split(".", maxsplit=1)[0], **plain}
        return {**defaults, **{key: _filled(value, known) for key, value in plain.items() if key in self._kept}}


def ansible_environment(environ: Mapping[str, str], *, project: Path, ansible: AnsibleSettings) -> dict[str, str]:
    """The environment in which the user's own Ansible is asked: its programs first on PATH, its configuration, plain output."""
    own = {**environ, **_OWN_ENVIRONMENT}
    if ansible.bin:
        own["PATH"] = f"{project / _from_environment(ansible.bin, environ)}:{environ.get('PATH', '')}"
    if ansible.config:
        own["ANSIBLE_CONFIG"] = str(project / _from_environment(ansible.config, environ))
    return own


def program_of_ansible(name: str, environ: Mapping[str, str]) -> str:
    """Where one of Ansible's programs is; raises LookupError with the way out."""
    found = shutil.which(name, path=environ.get("PATH", ""))
    if found is None:
        raise LookupError(
            f"there is no {name} on PATH. Install ansible-core, or name the folder of its programs under ansible: bin: in wellkept.yml."
        )
    return found


def _source(source: str, *, project: Path, environ: Mapping[str, str]) -> str:
    """A path below the project, or a list of hosts as Ansible takes it (`web-01,web-02,`)."""
    filled = _from_environment(source, environ)
    path = project / Path(filled).expanduser()
    return filled if "," in filled and not path.exists() else str(path)


def _is_live(path: Path, project: Path) -> bool:
    """Whether what this says is not all in the project's own files."""
    if not path.resolve().is_relative_to(project):
        return True
    return path.is_file() and (
        bool(path.stat().st_mode & _ANYBODY_RUNS) or _PLUGIN.search(path.read_bytes()) is not None
    )


def _from_environment(text: str, environ: Mapping[str, str]) -> str:
    """Replace `${NAME}` by the environment's value."""
    for name in _NAME_IN_ENVIRONMENT.findall(text):
        if name not in environ:
            raise LookupError(f"{text!r} needs {name} from the environment, and it is not set there.")
    return _NAME_IN_ENVIRONMENT.sub(lambda found: environ[found[1]], text)


def _expanded(listed: _Groups) -> dict[str, tuple[str, ...]]:
    """Every group with all its hosts, breadth first, each group's own hosts in their order.

    That is Ansible's own order for `all`, where it has one: groups of groups come in an order there that differs from call to call, and here they come in
    the order of the file. A host that is named both directly below `all` and in a group stands with its group here.
    """
    groups = _with_children("all", listed) if listed else []
    return {group: tuple(dict.fromkeys(_hosts_below(group, listed))) for group in groups}


def _hosts_below(group: str, listed: _Groups) -> Iterator[str]:
    for below in _with_children(group, listed):
        yield from listed.get(below, {}).get("hosts", ())


def _with_children(group: str, listed: _Groups) -> list[str]:
    ordered = {group: None}
    level = [group]
    while level:
        level = [
            child for parent in level for child in listed.get(parent, {}).get("children", ()) if child not in ordered
        ]
        ordered.update(dict.fromkeys(level))
    return list(ordered)


def _plain(value: object) -> object:
    """Undo the wrapping that `--list` gives to unsafe and encrypted values."""
    if isinstance(value, Mapping) and "__ansible_unsafe" in value:
        return value["__ansible_unsafe"]
    if isinstance(value, Mapping) and VAULTED in value:
        return {VAULTED: ""}
    return value


def _chosen(variables: _Variables, names: Collection[str]) -> dict[str, object]:
    """The variables that somebody asked for, as they stand: a template is not filled, since Ansible might fill it otherwise."""
    return {name: _as_it_stands(variables[name]) for name in names if name in variables}


def _as_it_stands(value: object) -> object:
    return [_plain(each) for each in value] if isinstance(value, list) else _plain(value)


def _filled(value: object, known: _Variables) -> object:
    """Fill a template as far as that can be done outside Ansible; else it stays as it is, and whoever needs it can see that."""
    for _ in range(_DEEPEST_TEMPLATE):
        if not isinstance(value, str) or "{{" not in value:
            break
        try:
            value = render(value, known)
        except TemplateFailed:
            break
    return value


def _errors(ran: Ran) -> tuple[str, ...]:
    """What Ansible said went wrong; warnings count, but for those that are known to leave no host out."""
    said = [text for kind, text in _said(ran.stderr) if kind in {"WARNING", "ERROR"} and not _HARMLESS.search(text)]
    if ran.cut or (ran.exit_code != 0 and not said):
        said.append(f"ansible-inventory: {ran.words}")
    return tuple(dict.fromkeys(_with_way_out(text) for text in said))


def _said(stderr: str) -> Iterator[tuple[str, str]]:
    """Each warning or error with its kind, as one line: Ansible may have wrapped it, and puts details behind an empty line."""
    for block in _SAID.split(stderr):
        if found := _KIND.match(block):
            text = block[found.end() :].split("\n\n")[0]
            script = _SCRIPT_SAID.search(block)
            yield (
                found["kind"] or "ERROR",
                " ".join(text.split()) + (f" The script said: {script['words']}" if script else ""),
            )


def _with_way_out(text: str) -> str:
    if "vault secrets" in text or "ault password" in text or "Decryption failed" in text:
        return f"{text} A file that belongs to this inventory is encrypted: name its password under secrets: vault: in wellkept.yml."
    return text
