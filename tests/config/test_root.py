from pathlib import Path

import pytest

from runner.config import find_root
from runner.errors import UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "shop/schedules/deep").mkdir(parents=True)
    (tmp_path / "shop/wellkept.yml").write_text("format: 1\n", encoding="utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/wellkept.yml").write_text("format: 1\n", encoding="utf-8")
    return tmp_path


def test_the_root_is_found_upwards(root: Path) -> None:
    assert find_root(root / "shop/schedules/deep", chosen=None, environ_value=None) == root / "shop"


def test_a_chosen_folder_wins_over_the_environment_which_wins_over_the_current_one(root: Path) -> None:
    here, other = root / "shop", str(root / "other")

    assert find_root(here, chosen=None, environ_value=other) == root / "other"
    assert find_root(here, chosen=Path("../shop"), environ_value=other) == root / "shop"


def test_an_empty_variable_counts_as_none(root: Path) -> None:
    assert find_root(root / "shop", chosen=None, environ_value="") == root / "shop"


def test_without_any_root_the_way_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^No wellkept\.yml here or above\. .*`wellkept init DIR` makes one\.$"):
        find_root(tmp_path, chosen=None, environ_value=None)


@pytest.mark.parametrize(
    ("chosen", "says"), [("nowhere", "there is no folder"), ("shop/schedules", "no wellkept.yml in")]
)
def test_a_chosen_folder_must_be_a_root(root: Path, chosen: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"^-C: {says}"):
        find_root(root, chosen=Path(chosen), environ_value=None)

    with pytest.raises(UsageError, match=f"^WELLKEPT_ROOT: {says}"):
        find_root(root, chosen=None, environ_value=chosen)
