"""Tables of commands in a pseudo-terminal and in a pipe: every number and address stays whole."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from flashsale.usecases.books import Books
from flashsale_local.paths import ROOT
from flashsale_local.sale.books_table import books_table
from tests.unit.print_tables import MANY, POSTGRES, PRODUCT, RDS

PRINT = [sys.executable, "-m", "tests.unit.print_tables"]


def in_terminal(columns, command=PRINT):
    """Return what a pseudo-terminal of this width was sent, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    variables = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    variables["TERM"] = "xterm-256color"
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=variables
    ) as printing:
        os.close(theirs)
        sent = b""
        try:
            while chunk := os.read(ours, 65536):
                sent += chunk
        except OSError:  # Linux reports EIO when the other side is closed
            pass
    os.close(ours)
    assert printing.returncode == 0, sent.decode()
    return re.sub(r"\x1b\[[0-9;]*m", "", sent.decode()).replace("\r\n", "\n")


def piped(command=PRINT):
    variables = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    ).stdout


SHOW = f"""
from flashsale_local.console import show_beside
show_beside("[red]✗[/] ports", "first {"word " * 40}[red]last\\x1b[31m")
"""
BESIDE = [sys.executable, "-c", SHOW]


@pytest.mark.parametrize("columns", [80, 120])
def test_a_long_finding_is_broken_between_words_in_a_terminal(columns):
    first, *more = in_terminal(columns, BESIDE).rstrip().splitlines()

    assert first.startswith("✗ ports first word ")
    assert all(re.match(r" {8}(word|\[red])", line) for line in more), more
    assert all(len(line.rstrip()) <= columns for line in (first, *more))
    assert more[-1].rstrip().endswith(r"[red]last\x1b[31m"), "it is untrusted"


def test_a_long_finding_is_one_line_in_a_pipe():
    (line,) = piped(BESIDE).splitlines()

    assert line.count("word") == 40


@pytest.fixture(scope="module", params=[40, 80, 120, 200, "pipe"])
def printed(request):
    width = request.param
    return (80, piped()) if width == "pipe" else (width, in_terminal(width))


def test_no_number_is_shortened_or_broken(printed):
    _, text = printed

    assert "…" not in text
    for number in [*range(MANY - 4, MANY + 9)]:
        assert re.search(rf"(?<![\d,]){number:,}(?![\d,])", text), f"{number:,}"
    for whole in ("1,234", "1,000", "2,000", "1234567", "16.14"):
        assert whole in text, whole


def test_no_address_and_no_product_id_is_broken(printed):
    _, text = printed

    for whole in (POSTGRES, RDS, PRODUCT):
        assert whole in text


def test_only_a_single_long_word_is_wider_than_the_terminal(printed):
    width, text = printed

    for line in text.splitlines():
        assert len(line.rstrip()) <= width or RDS in line or POSTGRES in line, line


def test_headings_are_whole(printed):
    _, text = printed

    for heading in ("offered/s", "answered/s", "unsettled", "confirmed", "address", "version"):
        assert heading in text, heading


def test_a_terminal_that_is_wide_enough_has_tables(printed):
    width, text = printed

    if width >= 120:
        assert re.search(r"^ *offered/s +answered/s +accepted", text, re.MULTILINE)
        assert re.search(r"^p-01 +V4 +10,000,000 +9,999,999 ", text, re.MULTILINE)


@pytest.mark.parametrize("figures", [{}, {"reserved": 3}, {"expired": 2}])
def test_units_that_are_to_be_paid_have_a_column_if_any(figures):
    usual = Books("p-01", (5,), 10, 4, 4, 1, 1)

    made = books_table([usual, Books("p-02", (5,), 10, 4, 4, 1, 1, **figures)])

    cells = {str(c.header).replace("-\n", ""): list(c.cells) for c in made.columns}
    shown = {name: cells[name][1] for name in ("reserved", "expired") if name in cells}
    assert shown == {name: str(units) for name, units in figures.items()}
    assert [cells[name][1] for name in ("confirmed", "cancelled")] == ["1", "1"]
