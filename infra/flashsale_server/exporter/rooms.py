"""Metrics of waiting rooms. A room is measured without a look at it, which would call users."""

from collections.abc import Callable, Sequence

from prometheus_client import Metric

from flashsale.domain.room_figures import RoomFigures, RoomTrouble
from flashsale.domain.rooms import Why
from flashsale_server.exporter.families import counter, gauge


def of_rooms(rooms: Sequence[RoomFigures]) -> list[Metric]:
    """Return the metrics of these rooms."""

    def each(figure: Callable[[RoomFigures], float]) -> list[tuple[tuple[str], float]]:
        return [((room.product_id,), figure(room)) for room in rooms]

    why = [((room.product_id, why.value), room.why is why) for room in rooms for why in Why]
    troubles = [
        ((room.product_id, trouble.value), room.trouble is trouble)
        for room in rooms
        for trouble in RoomTrouble
    ]
    return [
        gauge(
            "room_waiting_users", "Users with a place that was not called yet",
            each(lambda room: room.waiting), "product",
        ),
        gauge(
            "room_inside_users", "Users who may buy now", each(lambda room: room.inside), "product"
        ),
        gauge(
            "room_max_inside_users", "Users who may be inside at once",
            each(lambda room: room.max_inside), "product",
        ),
        gauge(
            "room_issued_places", "Places that were given to users",
            each(lambda room: room.issued), "product",
        ),
        gauge(
            "room_called_places", "Places that were called", each(lambda room: room.serving),
            "product",
        ),
        counter(
            "room_admissions", "Called users who were let in", each(lambda room: room.admitted),
            "product",
        ),
        gauge(
            "room_calls_per_minute", "Rate of the calls; orders that are late lower it",
            each(lambda room: room.rate * 60), "product",
        ),
        gauge(
            "room_max_calls_per_minute", "Highest rate of the calls",
            each(lambda room: room.max_rate * 60), "product",
        ),
        gauge("room_why", "1 for what limited the last calls", why, "product", "why"),
        gauge(
            "room_last_call_seconds", "Time since the last call, or since the opening",
            each(lambda room: room.since_call), "product",
        ),
        gauge(
            "room_last_look_seconds", "Time since a client looked at the room, which calls users",
            each(lambda room: room.since_look), "product",
        ),
        gauge(
            "room_trouble", "1 where users wait for an operator rather than for their turn",
            troubles, "product", "trouble",
        ),
    ]  # fmt: skip
