"""The recorder of `make demo` draws the last screen of a terminal."""

import runpy

import pytest

from flashsale_local.paths import ROOT

RECORDER = runpy.run_path(str(ROOT / "docs" / "pictures" / "record_demo.py"), run_name="recorder")


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        ("one\r\ntwo\r\n", ["one", "two", ""]),
        ("\x1b[?25lspin\r\x1b[2Kspun\r\x1b[2K✓ done\r\n\x1b[?25h", ["✓ done", ""]),
        ("a 1\r\nb 1\r\x1b[2K\x1b[1A\x1b[2Ka 2\r\nb 2\r\n", ["a 2", "b 2", ""]),
        ("100 %\r200", ["200"]),
        ("\x1b[32mgreen\x1b[0m", ["\x1b[32mgreen\x1b[0m"]),
    ],
    ids=["lines", "a spinner", "progress bars", "a carriage return", "colours"],
)
def test_the_screen_matches_a_terminals(output, lines):
    screen = RECORDER["Screen"]()

    screen.feed(output)

    assert screen.lines == lines


def test_a_picture_has_colours_but_no_local_path_or_web_font():
    picture = RECORDER["draw"](f"\x1b[32m✓\x1b[0m logs in {ROOT}/.local/logs\r\n")

    assert "flashsale/.local/logs" in picture.replace("&#160;", " ")
    assert str(ROOT) not in picture
    assert "@font-face" not in picture
    assert "url(http" not in picture


def test_the_picture_in_the_docs_shows_a_sale():
    picture = (ROOT / "docs" / "pictures" / "demo.svg").read_text().replace("&#160;", " ")

    assert "100 units, 300 buyers, 16 at a time" in picture
    assert "The stack is still up:" in picture
