"""The pages of the project have valid links and short lines."""

import re

import pytest

from flashsale_local.paths import ROOT

PAGES = sorted(
    [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
    + [*(ROOT / "docs").rglob("*.md")]
)
CODE = re.compile(r"^( *)(```|~~~).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# `make bench` and `flashsale model` write these pages.
GENERATED = {"docs/report/report.md"}
LONGEST = 120


def prose(page):
    """Return the text of a page without its code blocks. Lines keep their numbers."""
    return CODE.sub(lambda block: "\n" * block[0].count("\n"), page.read_text())


def anchors(page):
    """Return the anchors that GitHub makes for the headings of a page."""
    found = []
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found.append(f"{name}-{found.count(name)}" if name in found else name)
    return {*found, *re.findall(r'<a (?:id|name)="([^"]+)"', page.read_text())}


def broken(page):
    """Return the relative links of a page whose file or heading does not exist."""
    text = re.sub(r"`[^`\n]+`", "", prose(page).replace("[`", "[").replace("`]", "]"))
    for target in LINK.findall(text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield target


def long_lines(page):
    """Return the numbers of the lines that are too long, except for tables, links and code."""
    for number, line in enumerate(COMMENT.sub("", prose(page)).splitlines(), 1):
        if len(line) <= LONGEST or line.lstrip().startswith("|") or line.startswith("    "):
            continue
        if not re.fullmatch(r"[\s\-*.]*", LINK.sub("", line)):
            yield number


def name(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_are_valid(page):
    assert list(broken(page)) == []


@pytest.mark.parametrize("page", [page for page in PAGES if name(page) not in GENERATED], ids=name)
def test_the_lines_of_a_page_are_short(page):
    assert list(long_lines(page)) == []


def test_a_broken_link_and_a_long_line_are_found(tmp_path):
    (tmp_path / "other.md").write_text("# One `thing`, two\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#one-thing-two) [b](other.md#no) [c](gone.md) [d](https://example.org)\n"
        f"{'x' * 121}\n```\n[e](gone.md) {'x' * 121}\n```\n"
    )

    assert list(broken(page)) == ["other.md#no", "gone.md"]
    assert list(long_lines(page)) == [2]


def test_the_index_names_each_page():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target).resolve() for target in LINK.findall(index.read_text())}
    decisions = ROOT / "docs" / "decisions"

    pages = {
        page for page in (ROOT / "docs").rglob("*.md") if page != index and decisions != page.parent
    }
    assert linked == pages | {decisions / "README.md"}


def test_the_front_page_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 160


def test_the_results_on_the_front_page_match_the_report():
    report = (ROOT / "docs" / "report" / "report.md").read_text().splitlines()
    head = next(line for line in report if line.startswith("| | V1 naive"))
    lines = (ROOT / "README.md").read_text().splitlines()
    start = lines.index(head)
    rows = lines[start : lines.index("", start)]

    assert len(rows) == 2 + 6
    assert set(rows) <= set(report)
