"""A group of commands that imports a command when it runs, and nothing to print the help."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
import typer.core
import typer.main


@dataclass(frozen=True)
class Entry:
    """A command of the group.

    Attributes:
        place: "module:name" of the function or the Typer application, below this package.
        summary: the line in the help of the group, which is the first one of the command's own.

    """

    place: str
    summary: str

    def load(self) -> Any:
        """Import and return the function or the application."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(f"{__package__}.{module}"), name)


class LazyCommand(typer.core.TyperCommand):
    """Stands for a command in the help of its group, and imports it when it runs."""

    def __init__(self, name: str, entry: Entry, panel: str) -> None:
        """Create the stand-in, without an import."""
        super().__init__(name, help=entry.summary, rich_help_panel=panel)
        self.entry = entry

    def load(self) -> Any:
        """Import the command and return it."""
        found = self.entry.load()
        if isinstance(found, typer.Typer):
            group = typer.main.get_command(found)
            group.name = self.name
            return group
        alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
        alone.command(self.name)(found)
        return typer.main.get_command(alone)

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the arguments as the command itself does. The context runs that command."""
        return self.load().make_context(*args, **kwargs)


class LazyGroup(typer.core.TyperGroup):
    """A group whose commands are a table of entries, in panels.

    Attributes:
        panels: the commands by name, in each panel of the help.

    """

    panels: ClassVar[dict[str, dict[str, Entry]]]

    def __init__(self, **attributes: Any) -> None:
        """Create the group and a stand-in for each command."""
        super().__init__(**attributes)
        for panel, entries in self.panels.items():
            for name, entry in entries.items():
                self.add_command(LazyCommand(name, entry, panel))
