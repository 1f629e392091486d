"""The key that a host shows now, beside those that are known for it, as OpenSSH itself sees both; and a person's word that the new one is right."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import pwd
import tempfile
from collections.abc import Mapping
from pathlib import Path

from runner.adapters.asking import CannotAsk, NoAnswer, Variables, address_of
from runner.adapters.programs import Ran, run_program
from runner.adapters.ssh.known_hosts import KnownKey, known_keys
from runner.adapters.ssh.settings import SshSettings, client_command, read_settings
from runner.ports import HostKey, HostKeySeen

TIME_LIMIT = 30.0  # seconds
_NO_LOGIN = ("-o", "PreferredAuthentications=none", "-o", "NumberOfPasswordPrompts=0")
_REFUSED = "permission denied"  # that far it comes only when the host's key was accepted
_TAKE_ANY = ("StrictHostKeyChecking=accept-new", "HashKnownHosts=no")
_PRIVATE, _RIGHTS = 0o600, 0o777


class SshHostKeys:
    """Looks at host keys by the user's own OpenSSH and settings, through jump hosts too, without logging in anywhere."""

    def __init__(self, *, project: Path, environ: Mapping[str, str]) -> None:
        """`project` is the folder that Ansible would be started in."""
        self._project, self._environ = project, environ

    def look(self, host: str, variables: Variables) -> HostKeySeen:
        """What the host shows and what is known for it; raises CannotAsk, and NoAnswer when it cannot be reached."""
        settings = read_settings(host, variables, project=self._project, environ=self._environ)
        with tempfile.TemporaryDirectory(prefix="wellkept-") as folder:
            fresh = Path(folder, "known_hosts")
            words = self._connect(
                host, variables, f"UserKnownHostsFile={fresh}", "GlobalKnownHostsFile=none", *_TAKE_ANY
            )
            lines = fresh.read_text(encoding="utf-8").splitlines() if fresh.is_file() else []
        if not lines:
            raise NoAnswer(f"{host} showed no key: {words}")
        file, name = self._file(settings), name_of(settings)
        return HostKeySeen(
            address=f"{settings.hostname} port {settings.port}",
            file=str(file),
            known=tuple(as_host_key(key) for key in known_keys(text_in(file), host=name, port=settings.port)),
            shown=as_host_key(key_in(lines[-1])),
            line=lines[-1],
            trusted=self._is_trusted(host, variables),
            hashed=settings.is_on("hashknownhosts"),
        )

    def accept(self, host: str, variables: Variables, seen: HostKeySeen) -> None:
        """Write the key that was seen into the user's known_hosts, in the place of the old ones; raises CannotAsk when the file cannot be written."""
        file = Path(seen.file)
        try:
            replace_key(file, seen.line, hashed=seen.hashed, environ=self._environ)
        except OSError as error:
            raise CannotAsk(f"{file} cannot be written: {error.strerror}. Nothing was changed.") from error
        if not self._is_trusted(host, variables):
            raise CannotAsk(
                f"{host} is still not trusted though its key stands in {file} now: another file that ssh reads says otherwise. See: ssh -v {host}"
            )

    def _is_trusted(self, host: str, variables: Variables) -> bool:
        """Whether the host's key would pass as things are; the login that follows is refused on purpose."""
        return _REFUSED in self._connect(host, variables).lower()

    def _connect(self, host: str, variables: Variables, *options: str) -> str:
        """Exchange keys and go no further; gives what the client said. Options that stand first win."""
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
        client, *rest = client_command(host, variables, home=home)
        first = [argument for option in options for argument in ("-o", option)]
        argv = [client, *first, *_NO_LOGIN, *rest, address_of(host, variables), "true"]
        try:
            ran = run_program(argv, environ=self._environ, time_limit=TIME_LIMIT, cwd=self._project)
        except OSError as error:
            raise CannotAsk(f"{client} cannot be started: {error.strerror}") from error
        return words_of(ran)

    def _file(self, settings: SshSettings) -> Path:
        """The user's first known_hosts file."""
        names = " ".join(settings.said.get("userknownhostsfile", ())).split()
        if not names or names[0] in {"none", "/dev/null"}:
            raise CannotAsk(
                "ssh is told to keep no known_hosts file (UserKnownHostsFile), so there is none to write to."
            )
        home = pwd.getpwuid(os.getuid()).pw_dir
        return self._project / (f"{home}{names[0][1:]}" if names[0].startswith("~/") else names[0])


def words_of(ran: Ran) -> str:
    """Everything that the client said."""
    return ran.cut or " ".join(ran.stderr.split()) or ran.words


def name_of(settings: SshSettings) -> str:
    """The name that keys are kept under."""
    alias = settings.first("hostkeyalias")
    return alias if alias not in {"", "none"} else settings.hostname


def text_in(file: Path) -> str:
    """What the file holds; nothing where there is none."""
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def key_in(line: str) -> KnownKey:
    """The key of one line of known_hosts."""
    _, kind, key, *_ = line.split()
    return KnownKey(kind, key)


def as_host_key(key: KnownKey) -> HostKey:
    """A key by its kind and fingerprint, as `ssh-keygen -l` prints it."""
    try:
        digest = hashlib.sha256(base64.b64decode(key.key)).digest()
    except (ValueError, binascii.Error):
        return HostKey(key.kind, "unreadable", key.marker)
    return HostKey(key.kind, f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}", key.marker)


def replace_key(file: Path, line: str, *, hashed: bool, environ: Mapping[str, str]) -> None:
    """Take out what a known_hosts file says of that name, put the new line in, and put the whole in the old one's place at once."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    real = file.resolve()
    with tempfile.TemporaryDirectory(dir=real.parent, prefix=".known_hosts-") as folder:
        made = Path(folder, "known_hosts")
        made.touch(mode=_PRIVATE)
        made.write_text(text_in(real), encoding="utf-8")
        keygen(["-R", line.split(maxsplit=1)[0].split(",", maxsplit=1)[0]], made, environ=environ)
        left = made.read_text(encoding="utf-8").rstrip("\n")
        made.write_text("\n".join([*([left] if left else []), line, ""]), encoding="utf-8")
        if hashed:
            keygen(["-H"], made, environ=environ)
        made.chmod(real.stat().st_mode & _RIGHTS if real.exists() else _PRIVATE)
        made.replace(real)


def keygen(arguments: list[str], file: Path, *, environ: Mapping[str, str]) -> None:
    """Have ssh-keygen work on a known_hosts file; that it finds nothing to do is no trouble."""
    run_program(["ssh-keygen", *arguments, "-f", str(file)], environ=environ, time_limit=TIME_LIMIT)
