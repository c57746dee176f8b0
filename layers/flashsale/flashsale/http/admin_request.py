"""Who sends a request to the admin API, and how the audit records it."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Header, Request

from flashsale.http.auth import Admin
from flashsale.http.dependencies import Injected
from flashsale.http.request_log import log_of
from flashsale.postgres_store.audit import Action
from flashsale.services import Services


class _AdminRequest:
    """Who sends a request, and how to recognize the same request when it comes again."""

    def __init__(
        self,
        request: Request,
        admin: Admin,
        services: Injected,
        idempotency_key: Annotated[str, Header(pattern=r"^[!-+\--~]{0,128}$")] = "",
    ) -> None:
        self.services: Services = services
        self._admin_id = admin.user_id
        self._correlation_id = log_of(request.scope).correlation_id
        self._key = idempotency_key

    def to(self, name: str, target: str, arguments: Mapping[str, object] | None = None) -> Action:
        """Return the action that the admin asks for."""
        return Action(
            self._admin_id, name, target, arguments or {}, self._correlation_id, self._key
        )


Asked = Annotated[_AdminRequest, Depends()]
RequiredKey = Annotated[str, Header(alias="Idempotency-Key", pattern=r"^[!-+\--~]{1,128}$")]
