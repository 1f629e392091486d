"""Signatures of approvals by the approver's own SSH key: made by ssh-agent, so that the key never comes near us, and checked by stock OpenSSH."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.adapters.programs import Ran, run_program
from runner.domain.execution.approval import NAMESPACE
from runner.errors import Unknown, UsageError
from runner.ports import Seal

_TIME_LIMIT = 120.0  # seconds: a security key is touched by a person, and `ssh-add -c` asks one
_NO_AGENT = 2  # exit code of `ssh-add -L`


class AgentSeals:
    """Signs through the agent of the environment, and verifies without one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` names the agent's socket, if there is one."""
        self._environ = environ

    def sign(self, message: bytes, *, keys: Sequence[str]) -> Seal:
        """Sign by the first of these keys that the agent holds; raises UsageError with the way out when it holds none, or does not sign."""
        key = self._held(keys)
        with tempfile.TemporaryDirectory(prefix="wellkept-") as folder:
            public = Path(folder, "key.pub")
            public.write_text(
                f"{key}\n", encoding="utf-8"
            )  # only the public half is here, so that nothing but the agent can sign
            ran = self._run(["ssh-keygen", "-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(public)], message)
        if not ran.succeeded:
            raise UsageError(f"ssh-agent did not sign the approval: {ran.words}. Nothing was approved.")
        return Seal(ran.stdout, key)

    def verify(self, message: bytes, signature: str, *, signer: str, keys: Sequence[str]) -> bool:
        """Whether one of these keys made the signature."""
        with tempfile.TemporaryDirectory(prefix="wellkept-") as folder:
            allowed, signed = Path(folder, "allowed_signers"), Path(folder, "signature")
            allowed.write_text("".join(signer_line(signer, key) for key in keys), encoding="utf-8")
            signed.write_text(signature, encoding="utf-8")
            verify = ["ssh-keygen", "-Y", "verify", "-q", "-n", NAMESPACE, "-I", signer, "-f", str(allowed)]
            return self._run([*verify, "-s", str(signed)], message).succeeded

    def _held(self, keys: Sequence[str]) -> str:
        """The first of these keys that the agent holds."""
        ran = self._run(["ssh-add", "-L"])
        held = {bare(line) for line in ran.stdout.splitlines()} if ran.succeeded else set()
        found = next((bare(key) for key in keys if bare(key) in held), None)
        if found is None:
            what = (
                "there is no ssh-agent to ask" if ran.exit_code == _NO_AGENT else "ssh-agent holds none of these keys"
            )
            raise UsageError(
                f"Approvals of yours are signed, as wellkept.yml has {len(keys)} of your keys, but {what}. Add the key with `ssh-add FILE`, from a remote "
                "login with `ssh -A`, under sudo with `sudo --preserve-env=SSH_AUTH_SOCK`. Nothing was approved."
            )
        return found

    def _run(self, argv: list[str], message: bytes = b"") -> Ran:
        try:
            return run_program(argv, environ=self._environ, time_limit=_TIME_LIMIT, message=message)
        except FileNotFoundError as error:
            raise Unknown(
                f"{argv[0]} is not on PATH, and approvals are signed with it. Install OpenSSH's client programs."
            ) from error


def bare(key: str) -> str:
    """A public key without its comment."""
    return " ".join(key.split()[:2])


def signer_line(signer: str, key: str) -> str:
    """A line of a file of allowed signers: who may sign approvals, and with which key."""
    return f'{signer} namespaces="{NAMESPACE}" {bare(key)}\n'
