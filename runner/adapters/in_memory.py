"""Texts handed to a program as files that are on no disk, so that nothing of them is left whatever becomes of us."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO


@contextmanager
def in_memory(texts: Mapping[str, str]) -> Iterator[dict[str, int]]:
    """A file descriptor for each text, for as long as a program needs them; it finds them as `/dev/fd/NUMBER`."""
    with ExitStack() as files:
        yield {name: files.enter_context(_file(text)).fileno() for name, text in texts.items()}


def _file(text: str) -> IO[bytes]:
    """A file without a name; not executable, or Ansible would start it."""
    file = os.fdopen(os.memfd_create("wellkept"), "wb", buffering=0)
    os.fchmod(file.fileno(), 0o600)
    file.write(text.encode())
    return file
