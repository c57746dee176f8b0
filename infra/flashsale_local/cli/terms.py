"""The options of `flashsale open` and `flashsale rebuild`: the terms on which a product sells."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from flashsale.domain.claims import LONGEST_HOLD
from flashsale.domain.model import Terms
from flashsale.domain.rooms import Mode, RoomTerms
from flashsale_local.problems import Problem

ROOM = RoomTerms()
MOST = 1_000_000  # as in the admin API

Start = Annotated[datetime | None, typer.Option("--starts", help="Start of the sale (UTC).")]
End = Annotated[datetime | None, typer.Option("--ends", help="End of the sale (UTC).")]
Limit = Annotated[int, typer.Option(min=0, help="V5: units per buyer at most; 0 for no limit.")]
Generation = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=5,
        help="The generation that sells it, 1 to 5. By default the first purchase decides.",
    ),
]
Hold = Annotated[
    int,
    typer.Option(
        min=0,
        max=LONGEST_HOLD,
        help="V5: seconds for which a buyer may pay; 0: orders are CONFIRMED at once.",
    ),
]
RoomMode = Annotated[
    Mode | None, typer.Option("--room", help="V5: a waiting room, and how it gives places.")
]
RoomFrom = Annotated[
    datetime | None, typer.Option(help="When users can join (UTC). By default at once.")
]
Inside = Annotated[
    int | None,
    typer.Option(
        min=1, max=MOST, help=f"Users inside at once, at most. By default {ROOM.max_inside}."
    ),
]
Rate = Annotated[
    int | None,
    typer.Option(
        min=1, max=MOST, help=f"Users called a minute, at most. By default {ROOM.max_rate}."
    ),
]
Admission = Annotated[
    int | None,
    typer.Option(
        min=10,
        max=3600,
        help=f"Seconds for which a user stays inside. By default {ROOM.admission_seconds}.",
    ),
]


def room_of(
    mode: Mode | None,
    from_: datetime | None,
    inside: int | None,
    rate: int | None,
    admission: int | None,
) -> RoomTerms | None:
    """Return the terms of the room that these options describe, or None for no room."""
    given = {
        "from_at": from_ and from_.replace(tzinfo=UTC),
        "max_inside": inside,
        "max_rate": rate,
        "admission_seconds": admission,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if mode is not None:
        return RoomTerms(mode, **given)  # type: ignore[arg-type]
    if given:
        raise Problem("There is no room to describe.", "Add --room draw_at_opening or --room fifo.")
    return None


def terms_of(
    starts: datetime | None,
    ends: datetime | None,
    limit: int,
    generation: int | None,
    hold: int = 0,
    room: RoomTerms | None = None,
) -> Terms:
    """Return the terms that these options describe."""
    try:
        return Terms(
            starts_at=starts and starts.replace(tzinfo=UTC),
            ends_at=ends and ends.replace(tzinfo=UTC),
            limit_per_buyer=limit,
            generation=generation,
            hold_seconds=hold,
            room=room,
        )
    except ValueError as error:
        option = "--limit" if limit else "--hold" if hold else "--room"
        raise Problem(f"{error}.", f"Leave out {option}, or sell by --generation 5.") from error
