from datetime import time, timedelta

import pytest

from runner.domain.time.window import MaintenanceWindow


@pytest.mark.parametrize(
    ("window", "length"),
    [
        (MaintenanceWindow("w", start=time(22), duration=timedelta(hours=4)), timedelta(hours=4)),
        (MaintenanceWindow("w", start=time(22), days=1, duration=timedelta(hours=2)), timedelta(hours=26)),
        (MaintenanceWindow("w", start=time(22), until=time(4)), timedelta(hours=6)),
        (MaintenanceWindow("w", start=time(1), until=time(4)), timedelta(hours=3)),
        (MaintenanceWindow("w", start=time(4), until=time(4)), timedelta(days=1)),
    ],
)
def test_a_window_knows_how_long_it_is_by_its_rule(window: MaintenanceWindow, length: timedelta) -> None:
    assert window.length == length


def test_a_window_without_a_day_is_always_open() -> None:
    assert MaintenanceWindow("always").is_always
