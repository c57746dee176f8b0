"""The panels of waiting rooms."""

from flashsale_desk.dashboards.panels import PRODUCT, Panel, rate, row, table

REFUSED = 'flashsale_claims_total{outcome=~"admission_.+"}'

WAITING_ROOM = (
    row("Waiting room"),
    table(
        "Waiting rooms, for the operator",
        "short",
        {
            column: f"max by (product) (flashsale_{metric}{PRODUCT})"
            for column, metric in {
                "waiting": "room_waiting_users",
                "inside": "room_inside_users",
                "inside at most": "room_max_inside_users",
                "called": "room_called_places",
                "let in": "room_admissions_total",
                "calls a minute": "room_calls_per_minute",
                "at most": "room_max_calls_per_minute",
                "in trouble": "room_trouble",
            }.items()
        },
    ),
    Panel(
        "Users who wait, and who are inside",
        "short",
        {
            "{{product}} waiting": f"flashsale_room_waiting_users{PRODUCT}",
            "{{product}} inside": f"flashsale_room_inside_users{PRODUCT}",
        },
    ),
    Panel(
        "Places: given, called, let in",
        "short",
        {
            "{{product}} given": f"flashsale_room_issued_places{PRODUCT}",
            "{{product}} called": f"flashsale_room_called_places{PRODUCT}",
            "{{product}} let in": f"flashsale_room_admissions_total{PRODUCT}",
        },
    ),
    Panel(
        "Calls a minute",
        "short",
        {
            "{{product}}": f"flashsale_room_calls_per_minute{PRODUCT}",
            "{{product}} at most": f"flashsale_room_max_calls_per_minute{PRODUCT}",
        },
    ),
    Panel(
        "What limits the calls",
        "short",
        {"{{product}} {{why}}": f"flashsale_room_why{PRODUCT}"},
    ),
    Panel(
        "Claims without an admission",
        "reqps",
        {"{{outcome}} {{edge}}": f"sum by (outcome, edge) ({rate(REFUSED)})"},
    ),
    Panel(
        "Time since the last call",
        "s",
        {"{{product}}": f"flashsale_room_last_call_seconds{PRODUCT}"},
    ),
)
