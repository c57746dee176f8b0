"""The files of a purchase in docs/how-it-works.md exist and are at most ten."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-it-works.md"
LAYER = "layers/flashsale/flashsale/"
PURCHASES = ["A V4 purchase", "A V5 purchase"]


def files_of(purchase: str) -> list[tuple[str, Path]]:
    """Return the name and the target of each numbered link below a heading."""
    text = PAGE.read_text()
    section = re.search(rf"^## {purchase}\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    assert section, f"{PAGE.name} has no heading '## {purchase}'"
    links = re.findall(r"^\d+\. \[([^]]+)\]\(([^)]+)\)", section[1], re.MULTILINE)
    return [(name, (PAGE.parent / target).resolve()) for name, target in links]


@pytest.mark.parametrize("purchase", PURCHASES)
def test_a_purchase_is_followed_through_ten_files_at_most(purchase):
    assert 2 <= len(files_of(purchase)) <= 10


@pytest.mark.parametrize(
    ("name", "path"), [file for purchase in PURCHASES for file in files_of(purchase)]
)
def test_each_file_of_a_purchase_exists_and_is_named_by_its_path(name, path):
    root = PAGE.parents[1]

    assert path.is_file(), f"{PAGE.name} names {name}, and there is no such file"
    assert path.relative_to(root).as_posix() in (name, LAYER + name)
