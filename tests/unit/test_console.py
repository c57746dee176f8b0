"""Untrusted text in a terminal: log lines, and bodies and causes of messages."""

import pytest

from flashsale_local.cli import main
from flashsale_local.console import show


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no user '[/b]'", "no user '[/b]'"),
        ("[link=https://evil.example]here[/link]", "[link=https://evil.example]here[/link]"),
        ("GET /\x1b[2J\x1b]0;owned\x07", r"GET /\x1b[2J\x1b]0;owned\x07"),
        ("done\rfailed", r"done\rfailed"),
        ("\u202e0.01 for", r"\u202e0.01 for"),
        ("Käufer\nsecond line", "Käufer\nsecond line"),
    ],
)
def test_untrusted_text_is_printed_literally(capsys, text, shown):
    show(text)

    assert capsys.readouterr().out == f"{shown}\n"


def test_a_problem_is_printed_literally(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("flashsale_local.cli.dlq.LOCAL", tmp_path)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/postgres")
    monkeypatch.setattr("sys.argv", ["flashsale", "dlq", "peek", "[/dlq]"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    assert "'[/dlq]' is not a queue of failed messages." in capsys.readouterr().err
