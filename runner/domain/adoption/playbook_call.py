"""What a command line of `ansible-playbook` asks for, in the words of a schedule, and what of it a schedule cannot say."""

from __future__ import annotations

import getopt
import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from runner.domain.adoption.crontab import InPlainText, Unsayable

_SHORT = "hvCDbKkJi:l:e:t:f:u:c:T:M:"
_VALUED = (
    *("inventory=", "inventory-file=", "limit=", "extra-vars=", "tags=", "skip-tags=", "forks=", "user=", "private-key="),
    *("key-file=", "connection=", "timeout=", "module-path=", "vault-id=", "vault-password-file=", "vault-pass-file="),
    *("become-method=", "become-user=", "ssh-common-args=", "ssh-extra-args=", "sftp-extra-args=", "scp-extra-args="),
    *("start-at-task=", "become-password-file=", "become-pass-file=", "connection-password-file=", "conn-pass-file="),
)  # fmt: skip
_FLAGS = (
    *("help", "version", "verbose", "check", "diff", "become", "ask-become-pass", "ask-pass", "ask-vault-pass"),
    *("ask-vault-password", "syntax-check", "list-hosts", "list-tasks", "list-tags", "step", "flush-cache", "force-handlers"),
)  # fmt: skip
_LONG = {"i": "inventory", "l": "limit", "e": "extra-vars", "t": "tags", "C": "check", "f": "forks", "u": "user"}
_SAME = {
    **_LONG,
    "inventory-file": "inventory",
    "vault-pass-file": "vault-password-file",
    "key-file": "private-key",
    "b": "become",
    "c": "connection",
    "T": "timeout",
    "M": "module-path",
    "v": "verbose",
    "D": "diff",
    "K": "ask-become-pass",
    "k": "ask-pass",
    "J": "ask-vault-pass",
    "ask-vault-password": "ask-vault-pass",
}
_ASKS = ("ask-become-pass", "ask-pass", "ask-vault-pass", "step")
_ONLY_PRINTS = ("h", "help", "version", "syntax-check", "list-hosts", "list-tasks", "list-tags")
_OF_NO_MATTER = ("verbose", "diff", "flush-cache")  # how much is printed; facts are always gathered anew
_SAID = ("inventory", "limit", "extra-vars", "tags", "skip-tags", "vault-password-file", "vault-id")
_ELSEWHERE = {
    "become": "write become: true into the play, or set it in ansible.cfg",
    "become-user": "write become_user into the play, or set it in ansible.cfg",
    "become-method": "set it in ansible.cfg, or in the inventory",
    "user": "set remote_user in ansible.cfg, or ansible_user in the inventory",
    "private-key": "set private_key_file in ansible.cfg, or ansible_ssh_private_key_file in the inventory",
    "connection": "set ansible_connection in the inventory",
    "forks": "concurrency: says how many hosts are changed at the same time (10 when left out)",
}
_IN_CONFIGURATION = "set it in ansible.cfg"
_SECRET = re.compile(r"passw|passphrase|secret|token|api_?key|private_?key|credential", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PlaybookCall:
    """One call of ansible-playbook; paths are as they were written. `left_out` says what has no place in a schedule, and where it goes.

    `vault` holds password files by vault id.
    """

    playbook: str
    inventory: str = ""
    limit: str = ""
    extra_vars: Mapping[str, object] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    vault: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def playbook_call(arguments: Sequence[str]) -> PlaybookCall:
    """Read the arguments after `ansible-playbook`; raises Unsayable for what a schedule cannot do."""
    options, playbooks = _options(arguments)
    if len(playbooks) != 1:
        raise Unsayable(
            f"it names {len(playbooks) or 'no'} playbooks, and a schedule has one. Write one schedule for each"
        )
    _refuse(options)
    inventories = options.get("inventory", [])
    if len(inventories) > 1:
        raise Unsayable(f"it reads {len(inventories)} inventories at once. Put them into one folder, and name that")
    return PlaybookCall(
        playbook=playbooks[0],
        inventory=inventories[0] if inventories else "",
        limit=options.get("limit", [""])[-1],
        extra_vars={
            name: value for text in options.get("extra-vars", []) for name, value in variables_in(text).items()
        },
        tags=_listed(options.get("tags", [])),
        skip_tags=_listed(options.get("skip-tags", [])),
        vault=dict(_vault(options)),
        left_out=tuple(_left_out(options)),
    )


def _options(arguments: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Options by their long names, each with all its values, and the playbooks."""
    if unknown := [word for word in arguments if "$" in word or "`" in word]:
        raise Unsayable(f"{unknown[0]!r} in it is known only when it runs. Write it out")
    try:
        found, playbooks = getopt.gnu_getopt(list(arguments), _SHORT, [*_VALUED, *_FLAGS])
    except getopt.GetoptError as error:
        raise Unsayable(f"ansible-playbook: {error.msg}. Say what was meant") from None
    options: dict[str, list[str]] = {}
    for key, value in found:
        name = key.lstrip("-")
        options.setdefault(_SAME.get(name, name), []).append(value)
    return options, playbooks


def _refuse(options: Mapping[str, Sequence[str]]) -> None:
    """Refuse what would mean something else in a schedule."""
    for name in _ONLY_PRINTS:
        if name in options:
            raise Unsayable(f"with --{name} it changes nothing and only prints. There is nothing to schedule")
    for name in _ASKS:
        if name in options:
            raise Unsayable(f"--{name} asks a person, and nobody answers in a window. Name the secret below secrets:")
    if "check" in options:
        raise Unsayable(
            "--check only says what would change. A schedule runs its playbook for real, also with effect: read_only; "
            "use wellkept run NAME --check by hand"
        )
    if "start-at-task" in options:
        raise Unsayable(
            "--start-at-task begins in the middle. Put those tasks into a playbook of their own, or tag them"
        )
    if any(limit.startswith("@") for limit in options.get("limit", ())):
        raise Unsayable("--limit @FILE takes its hosts from a file. Make a group of them in the inventory")


def variables_in(text: str) -> dict[str, object]:
    """The variables of one `--extra-vars`: JSON, or `key=value` pairs, whose values are text as in Ansible."""
    if text.startswith("@"):
        raise Unsayable(f"--extra-vars {text} reads a file. Write its variables below extra_vars: in the schedule")
    if "{{" in text:
        raise Unsayable("a template stands in --extra-vars. Write its value")
    found = _from_json(text) if text.lstrip().startswith(("{", "[")) else _from_pairs(text)
    if secret := next((name for name in found if _SECRET.search(name)), None):
        raise InPlainText(
            f"it hands over {secret} in plain text. Put it into a vaulted file; schedules are kept in Git"
        )
    return found


def _from_json(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unsayable("its --extra-vars are no JSON object. Write them below extra_vars: in the schedule")
    return found


def _from_pairs(text: str) -> dict[str, object]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = [""]
    if not words or not all("=" in word[1:] for word in words):
        raise Unsayable("its --extra-vars are no pairs of name=value. Write them below extra_vars: in the schedule")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _listed(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())


def _vault(options: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for path in options.get("vault-password-file", ()):
        yield "default", path
    for text in options.get("vault-id", ()):
        label, at, path = text.rpartition("@")
        if path == "prompt":
            raise Unsayable("--vault-id asks a person, and nobody answers in a window. Name the secret below secrets:")
        yield (label if at else "default") or "default", path


def _left_out(options: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for name, values in options.items():
        if name not in {*_SAID, *_OF_NO_MATTER}:
            shown = f"--{name} {values[-1]}".strip()
            yield f"{shown}: {_ELSEWHERE.get(name, _IN_CONFIGURATION)}"
