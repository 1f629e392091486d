"""Signatures of checkpoints by OpenSSH's own `ssh-keygen -Y`, so that anybody can check them without Wellkept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from runner.adapters.programs import Ran, run_program
from runner.domain.execution.approval import NAMESPACE as APPROVAL
from runner.errors import Unknown

NAMESPACE = "wellkept-record"
"""Keeps a signature of a checkpoint from being taken for a signature of anything else (PROTOCOL.sshsig of OpenSSH)."""

SIGNER = "wellkept"
"""The identity under which our own public key is allowed to sign."""

_TIME_LIMIT = 30.0  # seconds
_PRIVATE = 0o077  # rights that nobody but the owner may have


class SshSigner:
    """Signs with an OpenSSH Ed25519 key that has no passphrase."""

    def __init__(self, key: Path, *, environ: Mapping[str, str]) -> None:
        """`key` is the path of the private key; it is looked at with the first signature."""
        self._key = key
        self._environ = _without_agent(environ)

    def sign(self, message: bytes) -> str:
        """The armoured SSHSIG signature of `message` in the namespace `wellkept-record`.

        Raises Unknown when the key cannot be used, with what to do about it.
        """
        self.public_key()
        ran = _keygen(
            ["-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(self._key)], environ=self._environ, message=message
        )
        if not ran.succeeded:
            raise Unknown(f"{self._key}: the record cannot be signed: {ran.words}. The key must have no passphrase.")
        return ran.stdout

    def public_key(self) -> str:
        """The public key in OpenSSH's one-line form, without a comment."""
        self._look_at_rights()
        ran = _keygen(["-y", "-P", "", "-f", str(self._key)], environ=self._environ)
        if not ran.succeeded:
            raise Unknown(
                f"{self._key}: the signing key cannot be read: {ran.words}. Name an OpenSSH Ed25519 key without a passphrase."
            )
        kind, key, *_ = ran.stdout.split()
        if kind != "ssh-ed25519":
            raise Unknown(
                f"{self._key}: the signing key is of type {kind}. Name an Ed25519 key: ssh-keygen -t ed25519 -N '' -f FILE."
            )
        return f"{kind} {key}"

    def _look_at_rights(self) -> None:
        try:
            mode = self._key.stat().st_mode
        except OSError as error:
            raise Unknown(
                f"{self._key}: the signing key cannot be used: {error.strerror}. See signing: key: in wellkept.yml."
            ) from error
        if mode & _PRIVATE:
            raise Unknown(f"{self._key}: others may read the signing key. Take that right away: chmod 600 {self._key}")


def signer(key: Path | None, *, state_dir: Path, environ: Mapping[str, str]) -> SshSigner:
    """Signs with the key of the settings, or with one in the state folder, which is made when it is not there."""
    return SshSigner(key or make_key(state_dir / "signing.key", environ=environ), environ=environ)


def make_key(path: Path, *, environ: Mapping[str, str]) -> Path:
    """Make a new Ed25519 key at `path` (only its owner may read it) unless one is there; gives the path.

    Two processes that do so at once end up with the same key. Raises Unknown when it cannot be made.
    """
    if path.exists():
        return path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".key-") as folder:
        new = Path(folder, "key")
        ran = _keygen(["-q", "-t", "ed25519", "-N", "", "-C", SIGNER, "-f", str(new)], environ=environ)
        if not ran.succeeded:
            raise Unknown(f"{path}: no signing key can be made: {ran.words}.")
        try:
            os.link(new, path)
        except FileExistsError:
            return path
        new.with_suffix(".pub").replace(path.with_name(f"{path.name}.pub"))
    return path


def verify(
    message: bytes, signature: str, *, public_key: str, environ: Mapping[str, str], approver: str | None = None
) -> bool:
    """Whether `signature` is one of `message` by that key, as stock `ssh-keygen -Y verify` sees it: of the record, or of an approval by `approver`."""
    signer, namespace = (approver, APPROVAL) if approver else (SIGNER, NAMESPACE)
    with tempfile.TemporaryDirectory(prefix="wellkept-") as folder:
        allowed, signed = Path(folder, "allowed_signers"), Path(folder, "signature")
        allowed.write_text(f'{signer} namespaces="{namespace}" {" ".join(public_key.split())}\n', encoding="utf-8")
        signed.write_text(signature, encoding="utf-8")
        arguments = ["-Y", "verify", "-q", "-n", namespace, "-I", signer, "-f", str(allowed), "-s", str(signed)]
        return _keygen(arguments, environ=environ, message=message).succeeded


def _without_agent(environ: Mapping[str, str]) -> dict[str, str]:
    """Without an agent and without questions: the key in the file signs, or nothing does."""
    return {
        name: value for name, value in environ.items() if name not in {"SSH_AUTH_SOCK", "DISPLAY", "SSH_ASKPASS"}
    } | {"SSH_ASKPASS_REQUIRE": "never"}


def _keygen(arguments: list[str], *, environ: Mapping[str, str], message: bytes = b"") -> Ran:
    try:
        return run_program(["ssh-keygen", *arguments], environ=environ, time_limit=_TIME_LIMIT, message=message)
    except FileNotFoundError as error:
        raise Unknown(
            "ssh-keygen is not on PATH, and the record is signed with it. Install OpenSSH's client programs."
        ) from error
