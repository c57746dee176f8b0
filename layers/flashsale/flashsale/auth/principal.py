"""The principal: the user whom an access token names."""

from dataclasses import dataclass

# The scope that the token of an admin must have.
ADMIN_SCOPE = "flashsale/admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user whose token was accepted."""

    user_id: str
    scopes: frozenset[str]

    @property
    def is_admin(self) -> bool:
        """Whether this user may run the shop."""
        return ADMIN_SCOPE in self.scopes


@dataclass(frozen=True, slots=True)
class Denied:
    """A rejected token. The client may read the reason."""

    reason: str
