"""Record `flashsale demo` in a terminal of 100 columns, and draw its last screen as demo.svg.

Run it by `make demo-recording`. The exit status is the demo's own.
"""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 100, 60
PICTURE = Path(__file__).with_name("demo.svg")
ROOT = Path(__file__).resolve().parents[2]
TITLE = "make demo"
# Control sequences that move or erase; colours (ending in m) stay in the text.
TOKENS = re.compile(r"\x1b\[([0-9;?]*)([A-Za-ln-z])|([\r\n])")
WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class Screen:
    """What a terminal shows after a program that draws whole lines, as rich does."""

    def __init__(self) -> None:
        self.lines = [""]
        self._row = 0
        self._returned = False

    def feed(self, output: str) -> None:
        """Draw everything that the program wrote."""
        end = 0
        for token in TOKENS.finditer(output):
            self._write(output[end : token.start()])
            self._obey(token)
            end = token.end()
        self._write(output[end:])

    def _write(self, text: str) -> None:
        if not text:
            return
        self.lines[self._row] = text if self._returned else self.lines[self._row] + text
        self._returned = False

    def _obey(self, token: re.Match[str]) -> None:
        count, command, control = token.groups()
        if control == "\r":
            self._returned = True
        elif control == "\n":
            self._row += 1
            self._returned = False
            if self._row == len(self.lines):
                self.lines.append("")
        elif command == "A":
            self._row = max(0, self._row - int(count or 1))
        elif command == "K":
            self.lines[self._row] = ""


def run_demo() -> tuple[int, str]:
    """Return the exit status of `flashsale demo`, and all that it wrote to its terminal."""
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    command = [Path(sys.executable).with_name("flashsale"), "demo"]
    environment = os.environ | {"TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    demo = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=terminal, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    written = bytearray()
    while chunk := _read(ours):
        written += chunk
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    os.close(ours)
    return demo.wait(), written.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux answers EIO when the last program that held the terminal has ended
        return b""


def draw(output: str) -> str:
    """Return the last screen of `output` as SVG, without web fonts and this machine's paths."""
    screen = Screen()
    screen.feed("$ make demo\n" + output.replace(str(ROOT), "flashsale"))
    recorder = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    recorder.print(Text.from_ansi("\n".join(screen.lines).rstrip("\n")), soft_wrap=True)
    return WEB_FONT.sub("", recorder.export_svg(title=TITLE, unique_id="demo"))


if __name__ == "__main__":
    status, output = run_demo()
    if status == 0:
        PICTURE.write_text(draw(output))
    sys.exit(status)
