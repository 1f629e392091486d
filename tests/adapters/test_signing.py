"""Checkpoints are signed and checked by stock OpenSSH."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.adapters.signing import SshSigner, make_key, verify
from runner.errors import Unknown

ENVIRON = {"PATH": os.environ["PATH"]}


@pytest.fixture
def signer(tmp_path: Path) -> SshSigner:
    return SshSigner(make_key(tmp_path / "keys" / "record", environ=ENVIRON), environ=ENVIRON)


def a_key(path: Path, *options: str) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", str(path), *options], check=True)
    return path


def test_what_was_signed_is_verified(signer: SshSigner) -> None:
    signature = signer.sign(b"checkpoint 1")

    assert signature.startswith("-----BEGIN SSH SIGNATURE-----")
    assert verify(b"checkpoint 1", signature, public_key=signer.public_key(), environ=ENVIRON)


def test_another_message_another_key_or_a_broken_signature_is_refused(signer: SshSigner, tmp_path: Path) -> None:
    signature = signer.sign(b"checkpoint 1")
    other = SshSigner(make_key(tmp_path / "other", environ=ENVIRON), environ=ENVIRON)

    assert not verify(b"checkpoint 2", signature, public_key=signer.public_key(), environ=ENVIRON)
    assert not verify(b"checkpoint 1", signature, public_key=other.public_key(), environ=ENVIRON)
    assert not verify(b"checkpoint 1", "nonsense", public_key=signer.public_key(), environ=ENVIRON)
    assert not verify(b"checkpoint 1", signature, public_key="nonsense", environ=ENVIRON)


def test_a_signature_for_another_purpose_is_refused(signer: SshSigner, tmp_path: Path) -> None:
    (tmp_path / "message").write_bytes(b"checkpoint 1")
    subprocess.run(
        [
            "ssh-keygen",
            "-q",
            "-Y",
            "sign",
            "-n",
            "file",
            "-f",
            str(tmp_path / "keys/record"),
            str(tmp_path / "message"),
        ],
        check=True,
    )

    signature = (tmp_path / "message.sig").read_text()

    assert not verify(b"checkpoint 1", signature, public_key=signer.public_key(), environ=ENVIRON)


def test_anybody_can_check_a_signature_with_two_files_and_ssh_keygen(signer: SshSigner, tmp_path: Path) -> None:
    (tmp_path / "signers").write_text(f"record {signer.public_key()}\n")
    (tmp_path / "signature").write_text(signer.sign(b"checkpoint 1"))

    argv = ["ssh-keygen", "-Y", "verify", "-n", "wellkept-record", "-I", "record", "-f", "signers", "-s", "signature"]
    ran = subprocess.run(argv, cwd=tmp_path, input=b"checkpoint 1", capture_output=True, check=False)

    assert ran.returncode == 0
    assert b'Good "wellkept-record" signature' in ran.stdout


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2000))
def test_any_bytes_can_be_signed(signer: SshSigner, message: bytes) -> None:
    assert verify(message, signer.sign(message), public_key=signer.public_key(), environ=ENVIRON)


def test_only_its_owner_may_read_a_key_that_was_made(tmp_path: Path) -> None:
    path = make_key(tmp_path / "state" / "signing_key", environ=ENVIRON)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.with_name("signing_key.pub").read_text().startswith("ssh-ed25519 ")


def test_a_key_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    path = make_key(tmp_path / "key", environ=ENVIRON)
    before = path.read_bytes()

    assert make_key(path, environ=ENVIRON).read_bytes() == before


def test_two_who_make_a_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    makers = [
        threading.Thread(target=make_key, args=(tmp_path / "key",), kwargs={"environ": ENVIRON}) for _ in range(4)
    ]

    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()

    public = SshSigner(tmp_path / "key", environ=ENVIRON).public_key()
    assert (tmp_path / "key.pub").read_text().startswith(public)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "key.pub"]


def test_a_missing_key_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match=r"nowhere: the signing key cannot be used: No such file.*signing: key:"):
        SshSigner(tmp_path / "nowhere", environ=ENVIRON).sign(b"x")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = make_key(tmp_path / "key", environ=ENVIRON)
    path.chmod(0o644)

    with pytest.raises(Unknown, match="chmod 600"):
        SshSigner(path, environ=ENVIRON).sign(b"x")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    key = a_key(tmp_path / "key", "-t", "ecdsa")

    with pytest.raises(Unknown, match=r"of type ecdsa-sha2-nistp256. Name an Ed25519 key"):
        SshSigner(key, environ=ENVIRON).sign(b"x")


def test_a_key_with_a_passphrase_is_refused_without_asking(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "a passphrase", "-f", str(key)], check=True)

    with pytest.raises(Unknown, match="without a passphrase"):
        SshSigner(key, environ=ENVIRON).sign(b"x")


def test_without_ssh_keygen_the_way_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match="Install OpenSSH"):
        make_key(tmp_path / "key", environ={"PATH": "/nowhere"})
