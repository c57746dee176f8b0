"""Who calls: what a token says of its bearer."""

from dataclasses import dataclass

# What the token of somebody who runs the shop must carry.
ADMIN_SCOPE = "flashsale/admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whose token was believed."""

    user_id: str
    scopes: frozenset[str]

    @property
    def is_admin(self) -> bool:
        """Whether he may run the shop."""
        return ADMIN_SCOPE in self.scopes


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a token was not believed, as its bearer may read it."""

    reason: str
