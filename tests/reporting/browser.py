"""A headless browser that measures a page at a given width, in light or dark, and prints it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DARK, LIGHT = "preferredColorScheme=0", "preferredColorScheme=1"
SECONDS = 60
MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")


def chromium(*arguments: str, folder: Path) -> str:
    """Run the browser with a profile of its own and give what it wrote; a missing browser is an error that says what to install."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "there is no headless browser here; install it with: apt-get install chromium"
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [program, *SWITCHES, profile, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def measured(
    pages: Mapping[str, str], *, widths: Sequence[int], scheme: str, folder: Path
) -> dict[tuple[str, int], Any]:
    """What each page looks like in a frame of each width: a frame obeys the page's own media queries and security policy."""
    frames = "".join(
        f'<iframe name="{name} {width}" width="{width}" height="900" style="border:0" srcdoc="{html.escape(page)}"></iframe>'
        for name, page in pages.items()
        for width in widths
    )
    wrapper = folder / f"wrapper-{scheme[-1]}.html"
    wrapper.write_text(f'<!doctype html><body>{frames}<pre id="found"></pre><script>{MEASURE}</script>', "utf-8")
    seen = (f"--blink-settings={scheme}", "--window-size=1400,1000", "--virtual-time-budget=20000", "--dump-dom")
    dom = chromium(*seen, wrapper.as_uri(), folder=folder)
    (found,) = re.findall(r'<pre id="found">(.+?)</pre>', dom, re.DOTALL)
    answers = {tuple(answer["name"].split()): answer for answer in json.loads(html.unescape(found))}
    return {(name, int(width)): answer for (name, width), answer in answers.items()}


def printed(page: str, *, folder: Path) -> str:
    """The text of the page as it is printed."""
    source, pdf = folder / "page.html", folder / "page.pdf"
    source.write_text(page, "utf-8")
    chromium(
        "--no-pdf-header-footer", f"--print-to-pdf={pdf}", f"--blink-settings={DARK}", source.as_uri(), folder=folder
    )
    program = shutil.which("pdftotext")
    assert program, "pdftotext is missing; install it with: apt-get install poppler-utils"
    ran = subprocess.run([program, str(pdf), "-"], capture_output=True, text=True, timeout=SECONDS, check=True)
    return ran.stdout
