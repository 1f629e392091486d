"""Makes the sample report: `python -m tests.reporting.sample` writes it, a test checks that it is up to date."""

from __future__ import annotations

import tempfile
from pathlib import Path

from runner.reporting.document import to_html, to_json
from tests.reporting.a_month import a_month, counted_ids, new_store, report_of

SAMPLE = Path(__file__).parents[2] / "reports" / "samples" / "audit.html"


def sample() -> bytes:
    """The auditor's edition of an invented October."""
    with tempfile.TemporaryDirectory() as folder, counted_ids():
        store = new_store(Path(folder))
        try:
            a_month(store)
            return to_html(to_json(report_of(store)))
        finally:
            store.close()


if __name__ == "__main__":
    SAMPLE.parent.mkdir(parents=True, exist_ok=True)
    SAMPLE.write_bytes(sample())
    print(f"{SAMPLE}: {SAMPLE.stat().st_size} bytes")
