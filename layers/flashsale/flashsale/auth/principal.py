"""The principal: the user whom an access token names."""

import math
from dataclasses import dataclass, field

# The scope that the token of an admin must have.
ADMIN_SCOPE = "flashsale/admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user whose token was accepted.

    Attributes:
        until: when the token expires, in seconds since 1970.

    """

    user_id: str
    scopes: frozenset[str]
    until: float = field(default=math.inf, compare=False)

    @property
    def is_admin(self) -> bool:
        """Whether this user may run the shop."""
        return ADMIN_SCOPE in self.scopes


@dataclass(frozen=True, slots=True)
class Denied:
    """A rejected token. The client may read the reason."""

    reason: str
