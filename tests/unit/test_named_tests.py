"""Each test that a page names exists, so that no row of a table is proved by nothing."""

import re

import pytest

from flashsale_local.paths import ROOT
from tests.unit.test_links import PAGES, name

TESTS = {path.relative_to(ROOT).as_posix(): path.read_text() for path in ROOT.glob("tests/**/*.py")}
# A file, a test of it, or both. An "…" stands for the end of a name.
NAMED = re.compile(r"([\w/]*\btest_\w+\.py)?(?:(::| )(test_\w+…?))?(?:\[\w+\])?")


def named(text):
    """Return the file and the test of each name in backticks or in a link."""
    file = ""
    for quoted in re.findall(r"`([^`\n]+)`|\[([\w/]+\.py)\]", text):
        found = NAMED.fullmatch("".join(quoted))
        if found and any(found.groups()):
            file = found[1] or file
            yield file, found[3] or ""


def is_test(file, test):
    """Return whether a file of that name has such a test."""
    pattern = rf"def {re.escape(test.rstrip('…'))}" + ("" if test.endswith("…") else r"\b")
    return any(
        path == file or path.endswith(f"/{file}")
        for path, text in TESTS.items()
        if not test or re.search(pattern, text)
    )


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_tests_that_a_page_names_exist(page):
    assert [one for one in named(page.read_text()) if not is_test(*one)] == []


def test_a_name_without_a_test_is_found():
    page = (
        "`test_links.py::test_the_lin…`, `::test_gone`, [gone/test_links.py](a.md), `test_links.py`"
    )

    assert [one for one in named(page) if not is_test(*one)] == [
        ("test_links.py", "test_gone"),
        ("gone/test_links.py", ""),
    ]
