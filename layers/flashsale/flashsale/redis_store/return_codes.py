"""The return codes of the scripts in `lua/`. The headers of the scripts explain them."""

from enum import IntEnum


class Claiming(IntEnum):
    """Negative return codes of claim.lua."""

    SOLD_OUT = -1
    NOT_ON_SALE = -2
    NOT_OPEN = -3
    PURCHASE_LIMIT = -4
    RATE_LIMIT = -5
    OTHER_GENERATION = -6
    NOT_INSIDE = -7


class Decrement(IntEnum):
    """Negative return codes of decrement.lua."""

    SOLD_OUT = -1
    NOT_ON_SALE = -2
    NOT_OPEN = -3
    OTHER_GENERATION = -6


class Opening(IntEnum):
    """Return codes of open_sale.lua."""

    OPENED = 1
    RUNNING = 0
    RUNNING_ON_OTHER_TERMS = -1
    PAUSED = -2
    NOT_DRAINED = -3
    OTHER_GENERATION = -4


class Pause(IntEnum):
    """Return codes of pause_sale.lua."""

    DONE = 1
    DONE_BEFORE = 0
    ENDED = -1
    NO_SALE = -2


class Resumption(IntEnum):
    """Return codes of resume_sale.lua."""

    RESUMED = 1
    RUNNING = 0
    ENDED = -1
    NO_SALE = -2
    LOST = -3


class Joining(IntEnum):
    """Return codes of join.lua."""

    JOINED = 1
    NOT_YET = -1
    NO_ROOM = -2


class Admission(IntEnum):
    """Return codes of admit.lua."""

    INSIDE = 1
    WAITS = 0
    LAPSED = -1
    FULL = -2
    NO_ROOM = -3
