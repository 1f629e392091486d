"""Every way out of the command line has an exit code and a sentence, never a traceback."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

from runner.cli import commands
from runner.cli.funnel import INTERRUPTED, run
from runner.errors import BadResult, Held, NotFound, StoreUnavailable, Unknown, UsageError, WellkeptError


def ending_with(error: BaseException) -> click.Command:
    @click.command("validate")
    def command() -> None:
        raise error

    return command


@pytest.fixture
def leaving(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """`wellkept validate` can be made to end in any way; reports of faults go to a folder of the test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return monkeypatch


def ends(leaving: pytest.MonkeyPatch, error: BaseException) -> int:
    leaving.setattr(commands.LazyGroup, "get_command", lambda self, ctx, name: ending_with(error))
    return run(["validate"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadResult("bad"), 1),
        (UsageError("bad"), 2),
        (NotFound("bad"), 2),
        (Held("bad"), 3),
        (Unknown("bad"), 4),
        (StoreUnavailable("bad"), 4),
        (WellkeptError("bad"), 70),
    ],
)
def test_each_error_has_its_exit_code_and_its_words_go_to_the_error_stream(
    leaving: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: WellkeptError, code: int
) -> None:
    assert ends(leaving, error) == code
    assert capsys.readouterr() == ("", "bad\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c_ends_with_a_word_and_the_code_that_shells_expect(
    leaving: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    assert ends(leaving, error) == INTERRUPTED == 128 + signal.SIGINT
    assert "Interrupted." in capsys.readouterr().err


@pytest.mark.parametrize(("code", "left"), [(0, 0), (3, 3), (None, 0), ("a text", 1)])
def test_a_command_that_leaves_by_itself_leaves_with_its_code(
    leaving: pytest.MonkeyPatch, code: int | str | None, left: int
) -> None:
    assert ends(leaving, SystemExit(code)) == left


def test_a_fault_of_our_own_is_written_to_a_private_file_that_is_named(
    leaving: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code = ends(leaving, ZeroDivisionError("division by zero"))

    said = capsys.readouterr()
    named = re.search(r"written to (\S+);", said.err)
    assert code == 70
    assert named is not None
    report = Path(named[1])
    assert report.parent == tmp_path
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert "Wellkept has a defect: ZeroDivisionError" in said.err
    assert "Traceback" not in said.out + said.err
    assert "ZeroDivisionError: division by zero" in report.read_text()
    assert "command: validate" in report.read_text()


def test_the_report_of_a_fault_holds_no_values_of_arguments(leaving: pytest.MonkeyPatch, tmp_path: Path) -> None:
    @click.command("validate", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def command() -> None:
        raise ZeroDivisionError

    leaving.setattr(commands.LazyGroup, "get_command", lambda self, ctx, name: command)
    run(["validate", "--password", "hunter2"])

    assert all("hunter2" not in report.read_text() for report in tmp_path.glob("wellkept-fault-*"))
    assert list(tmp_path.glob("wellkept-fault-*"))


@pytest.mark.parametrize(
    ("typed", "nearest"), [("validat", "'validate'"), ("calender", "'calendar'"), ("tickts", "'tickets'")]
)
def test_an_unknown_command_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str], typed: str, nearest: str
) -> None:
    assert run([typed]) == 2
    assert f"There is no command {typed!r}. Did you mean {nearest}?" in capsys.readouterr().err


def test_one_that_is_like_none_is_answered_with_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["xyzzy"]) == 2
    assert "`wellkept --help` lists them." in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--colour"]) == 2
    assert "--colour" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_fault() -> None:
    ours = subprocess.Popen(
        [sys.executable, "-m", "runner", "schema", "schedule"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert ours.stdout is not None
    ours.stdout.close()

    _, said = ours.communicate(timeout=60)

    assert (ours.returncode, said) == (0, b"")


def test_an_interrupted_command_says_so_in_a_real_process() -> None:
    code = "import os, signal, runner.cli.commands as c, click\n"
    code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a test run in the background ignores it
    code += "@click.command()\ndef cmd(): os.kill(os.getpid(), signal.SIGINT)\n"
    code += "c.LazyGroup.get_command = lambda *a: cmd\n"
    code += "from runner.cli.funnel import run; raise SystemExit(run(['validate']))"

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)

    assert ended.returncode == INTERRUPTED
    assert "Interrupted." in ended.stderr
    assert "Traceback" not in ended.stderr
