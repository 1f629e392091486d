"""The unit is one that systemd itself accepts, wherever the repository lies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runner.operations.systemd_unit import Place, quoted, systemd_unit


@pytest.mark.parametrize("folder", ["maintenance", "our maintenance", "100% kept", 'a "quoted" place', "$HOME"])
def test_systemd_accepts_the_unit(tmp_path: Path, folder: str) -> None:
    place = Place(user="root", program=Path(sys.executable), root=Path("/srv") / folder, path="/usr/bin:/bin")
    unit = tmp_path / "wellkept-trial.service"
    unit.write_text(systemd_unit(place))

    looked = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)

    assert (looked.returncode, looked.stderr) == (0, "")


def test_what_systemd_would_take_for_something_else_is_quoted() -> None:
    assert quoted("/srv/maintenance") == "/srv/maintenance"
    assert quoted("/srv/our maintenance") == '"/srv/our maintenance"'
    assert quoted('/srv/100% "kept"') == '"/srv/100%% \\"kept\\""'
