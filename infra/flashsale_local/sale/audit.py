"""Actions of admins and operators as JSON, with the names of the admin API."""

from datetime import UTC

from flashsale.domain.pauses import UnrecordedPause
from flashsale.postgres_store.audit import AuditEntry

# The outcome of a pause that PostgreSQL does not have yet.
IN_REDIS = "in Redis"


def described(action: AuditEntry | UnrecordedPause) -> dict[str, object]:
    """Return an action, from the audit or kept in Redis until the audit has it."""
    if isinstance(action, UnrecordedPause):
        return {
            "id": None,
            "who": action.who,
            "action": "pause",
            "target": action.product_id,
            "arguments": dict(action.arguments),
            "outcome": IN_REDIS,
            "idempotencyKey": action.key,
            "correlationId": action.correlation_id,
            "begunAt": action.at.isoformat(),
            "endedAt": None,
        }
    return {
        "id": action.id,
        "who": action.who,
        "action": action.action,
        "target": action.target,
        "arguments": dict(action.arguments),
        "outcome": action.outcome,
        "idempotencyKey": action.idempotency_key,
        "correlationId": action.correlation_id,
        "begunAt": action.begun_at.astimezone(UTC).isoformat(),
        "endedAt": action.ended_at and action.ended_at.astimezone(UTC).isoformat(),
    }
