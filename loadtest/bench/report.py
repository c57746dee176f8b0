"""Writes the report: report.md with its pictures, and report.html as a single file."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from loadtest.bench.pictures import draw_all
from loadtest.bench.results import Results
from loadtest.bench.table import NAMES, tables

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def write_report(results: Results, folder: Path) -> None:
    """Write report.md, report.html and the pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = draw_all(results, folder)
    known = {
        "results": results,
        "about": results.about,
        "names": list(NAMES.values()),
        "tables": tables(results),
    }
    text = TEMPLATES.get_template("report.md.j2").render(**known, pictures=pictures)
    (folder / "report.md").write_text(text)
    inline = [(caption, Markup(_svg(folder / name))) for name, caption in pictures.items()]  # noqa: S704
    page = TEMPLATES.get_template("report.html.j2").render(**known, pictures=inline)
    (folder / "report.html").write_text(page)


def _svg(path: Path) -> str:
    """Return the picture without its XML declaration, for use inside HTML."""
    text = path.read_text()
    return text[text.index("<svg") :]
