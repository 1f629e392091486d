from pathlib import Path

import pytest

from runner.config.zones import check_zone, system_zone


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "America/Port-au-Prince"])
def test_names_of_places_and_utc_are_zones(name: str) -> None:
    assert check_zone(name) == name


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("CET", "Write Europe/Berlin, or the place you mean"),
        ("EST", "Write America/New_York, or the place you mean"),
        ("EST5EDT", "Write America/New_York"),
        ("+01:00", "Name a place"),
        ("UTC+2", "Name a place"),
        ("Etc/GMT+5", "Name a place"),
        ("Berlin", "Did you mean Europe/Berlin?"),
        ("europe/berlin", "Did you mean Europe/Berlin?"),
        ("new york", "Did you mean America/New_York?"),
        ("Europe/Berln", "Did you mean Europe/Berlin?"),
        ("posix/Europe/Berlin", "Did you mean Europe/Berlin?"),
        ("Europe", "Write an IANA name|Did you mean"),
        ("Mars/Olympus", "Write an IANA name"),
        ("../../etc/passwd", "Write an IANA name"),
        ("", "Write an IANA name"),
        ("x/" + "y" * 5000, "Write an IANA name"),
        ("a/\0", "Write an IANA name"),
    ],
)
def test_what_is_no_place_is_refused_with_the_nearest_one(name: str, way_out: str) -> None:
    with pytest.raises(ValueError, match=way_out):
        check_zone(name)


def test_the_system_zone_is_that_of_tz_then_of_its_files_then_utc(tmp_path: Path) -> None:
    assert system_zone({"TZ": ":Asia/Tokyo"}, etc=tmp_path) == "Asia/Tokyo"
    assert system_zone({"TZ": "CET"}, etc=tmp_path) == "UTC"

    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Madrid")
    assert system_zone({}, etc=tmp_path) == "Europe/Madrid"

    (tmp_path / "timezone").write_text("Europe/Lisbon\n", encoding="utf-8")
    assert system_zone({}, etc=tmp_path) == "Europe/Lisbon"
