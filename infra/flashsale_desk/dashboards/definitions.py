"""The dashboards. `make dashboards` writes monitoring/grafana/dashboards from this module."""

from flashsale_desk.dashboards.panels import PRODUCT, Dashboard, Panel, quantiles, rate, stat
from flashsale_desk.dashboards.waiting_room import WAITING_ROOM

CONFIRMED = f"flashsale_confirmed_units{PRODUCT}"
EDGE = '{edge=~"$edge"}'
ACCEPTED = '{edge=~"$edge", route=~"/api/v[1-5]/buy", status=~"201|202"}'
SOLD = 'flashsale_claims_total{outcome="accepted"}'
REQUESTS = "flashsale_http_request_seconds_count"

SALE = Dashboard(
    "flashsale-sale",
    "flashsale: the sale",
    (
        stat("Broken books", "short", f"sum(flashsale_books_broken{PRODUCT})", 1),
        stat("Lost units", "short", f"sum(flashsale_lost_units{PRODUCT})", 1),
        stat("Oversold units", "short", f"sum(flashsale_oversold_units{PRODUCT})", 1),
        Panel("Stock left", "short", {"{{product}} {{store}}": f"flashsale_stock_units{PRODUCT}"}),
        Panel(
            "Where the units are",
            "short",
            {
                "unsettled": f"sum(flashsale_unsettled_units{PRODUCT})",
                "parked": f"sum(flashsale_parked_units{PRODUCT})",
                "reserved": f"sum(flashsale_reserved_units{PRODUCT})",
                "confirmed": f"sum(flashsale_confirmed_units{PRODUCT})",
                "cancelled": f"sum(flashsale_cancelled_units_total{PRODUCT})",
                "expired": f"sum(flashsale_expired_units_total{PRODUCT})",
            },
        ),
        Panel(
            "Accepted",
            "reqps",
            {"V{{generation}} {{edge}}": f"sum by (generation, edge) ({rate(SOLD)})"},
        ),
        Panel(
            "Confirmed",
            "ops",
            {"{{product}}": f"sum by (product) (deriv({CONFIRMED}[$__rate_interval]))"},
        ),
        Panel(
            "Attempts by outcome",
            "reqps",
            {"{{outcome}}": f"sum by (outcome) ({rate('flashsale_claims_total')})"},
        ),
        Panel(
            "Confirmed units by generation",
            "short",
            {
                "V{{generation}}": "sum by (generation) (flashsale_product_info"
                " * on (product) group_left () flashsale_confirmed_units)"
            },
        ),
        Panel(
            "Messages in the queues",
            "short",
            {"{{queue}}": "sum by (queue) (flashsale_queue_messages)"},
        ),
        *WAITING_ROOM,
    ),
    {"product": "label_values(flashsale_initial_units, product)"},
)

HTTP = Dashboard(
    "flashsale-http",
    "flashsale: the HTTP edge",
    (
        stat(
            "Answers with 5xx",
            "percentunit",
            f"max(edge:flashsale_http_errors:ratio5m{EDGE})",
            0.05,
        ),
        stat(
            "p95 of accepted purchases",
            "s",
            f"max(edge:flashsale_accepted_seconds:p95_5m{EDGE})",
            0.5,
        ),
        stat("Requests", "reqps", f"sum({rate(REQUESTS + EDGE)})"),
        Panel(
            "Requests by status",
            "reqps",
            {"{{edge}} {{status}}": f"sum by (edge, status) ({rate(REQUESTS + EDGE)})"},
        ),
        Panel(
            "Requests by route",
            "reqps",
            {"{{method}} {{route}}": f"sum by (method, route) ({rate(REQUESTS + EDGE)})"},
        ),
        Panel("Time to accept a purchase", "s", quantiles(ACCEPTED)),
        Panel(
            "Time to answer, by route",
            "s",
            {"p95 {{route}}": quantiles(EDGE, "route")["p95 {{route}}"]},
        ),
        Panel("Processes that answer", "bool_on_off", {"{{job}} {{instance}}": "up"}),
        Panel(
            "Live streams that are open (ASGI edge)",
            "short",
            {
                "{{kind}}": "sum by (kind) (flashsale_streams_opened_total)"
                " - sum by (kind) (flashsale_streams_closed_total)"
            },
        ),
        Panel(
            "Events of live streams (ASGI edge)",
            "ops",
            {"{{kind}}": f"sum by (kind) ({rate('flashsale_stream_events_total')})"},
        ),
    ),
    {"edge": f"label_values({REQUESTS}, edge)"},
)

SENDS = "flashsale_sqs_sends_total"
RELAYED = SENDS + '{operation="relay", outcome="ok"}'
ORDERS, BATCHES = "flashsale_orders_total", "flashsale_order_batches_total"

PIPELINE = Dashboard(
    "flashsale-pipeline",
    "flashsale: from claim to order",
    (
        stat("In orders-dlq", "short", 'sum(flashsale_queue_messages{queue="dlq"})', 1),
        stat("In orders-parking", "short", 'sum(flashsale_queue_messages{queue="parking"})', 1),
        stat(
            "Claims swept in an hour", "short", "sum(increase(flashsale_swept_claims_total[1h]))", 1
        ),
        stat("Oldest unsettled claim", "s", "max(flashsale_oldest_claim_age_seconds)", 60),
        Panel("Unsettled units", "short", {"{{product}}": f"flashsale_unsettled_units{PRODUCT}"}),
        Panel("Messages", "short", {"{{queue}} {{state}}": "flashsale_queue_messages"}),
        Panel(
            "Age of the oldest message",
            "s",
            {"{{queue}}": "flashsale_queue_oldest_message_age_seconds"},
        ),
        Panel(
            "Calls to SQS (ASGI edge)",
            "ops",
            {"{{operation}} {{outcome}}": f"sum by (operation, outcome) ({rate(SENDS)})"},
        ),
        Panel(
            "Claims relayed (ASGI edge)",
            "ops",
            {"claims": f"sum({rate('flashsale_relayed_claims_total')})"},
        ),
        Panel(
            "Claims in a call (ASGI edge)",
            "short",
            {"since the start": f"sum(flashsale_relayed_claims_total) / sum({RELAYED})"},
        ),
        Panel(
            "Orders by outcome",
            "ops",
            {"{{function}} {{outcome}}": f"sum by (function, outcome) ({rate(ORDERS)})"},
        ),
        Panel(
            "Orders in a batch",
            "short",
            {
                "{{function}} since the start": f"sum by (function) ({ORDERS})"
                f" / sum by (function) ({BATCHES})"
            },
        ),
        stat("Oldest hold overdue", "s", "max(flashsale_holds_overdue_seconds)", 300),
        stat("Oldest refund due", "s", "max(flashsale_refund_due_oldest_seconds)", 3600),
        stat("In payments-dlq", "short", 'sum(flashsale_queue_messages{queue="payments-dlq"})', 1),
        stat("Holds without an order", "short", "max(flashsale_holds_without_order)", 1),
        Panel("Held units", "short", {"{{product}}": f"flashsale_held_units{PRODUCT}"}),
        Panel(
            "Payments taken from the queue",
            "ops",
            {"{{outcome}}": f"sum by (outcome) ({rate('flashsale_taken_payments_total')})"},
        ),
        Panel(
            "Webhooks of the payment provider",
            "ops",
            {"{{outcome}}": f"sum by (outcome) ({rate('flashsale_webhooks_total')})"},
        ),
        Panel(
            "Payments that wait or are to be refunded",
            "short",
            {"{{decision}} {{why}}": "flashsale_payments"},
        ),
    ),
    {"product": SALE.variables["product"]},
)

STORES = Dashboard(
    "flashsale-stores",
    "flashsale: the stores",
    (
        stat("Services that do not answer", "short", "count(flashsale_up == 0) or vector(0)", 1),
        stat("Append-only file with errors", "bool_yes_no", "1 - flashsale_redis_aof_healthy", 1),
        stat("Longest running statement", "s", "flashsale_postgres_longest_statement_seconds", 5),
        Panel("Services", "bool_on_off", {"{{service}}": "flashsale_up"}),
        Panel("Redis: commands", "ops", {"commands": rate("flashsale_redis_commands_total")}),
        Panel(
            "Redis: memory and file",
            "bytes",
            {
                "memory": "flashsale_redis_memory_bytes",
                "append-only file": "flashsale_redis_aof_bytes",
            },
        ),
        Panel("Redis: clients", "short", {"clients": "flashsale_redis_clients"}),
        Panel(
            "Redis: delayed fsyncs",
            "ops",
            {"fsyncs": rate("flashsale_redis_aof_delayed_fsyncs_total")},
        ),
        Panel(
            "PostgreSQL: connections",
            "short",
            {
                "{{state}}": "flashsale_postgres_connections",
                "allowed": "flashsale_postgres_max_connections",
            },
        ),
        Panel(
            "PostgreSQL: transactions",
            "ops",
            {"{{end}}": rate("flashsale_postgres_transactions_total")},
        ),
        Panel(
            "PostgreSQL: deadlocks",
            "ops",
            {"deadlocks": rate("flashsale_postgres_deadlocks_total")},
        ),
        Panel(
            "PostgreSQL: time in the slowest statements",
            "percentunit",
            {"{{statement}}": rate("flashsale_postgres_statement_seconds_total")},
        ),
        Panel("Time of a scrape", "s", {"{{service}}": "flashsale_exporter_read_seconds"}),
        Panel(
            "CPU time of the exporter",
            "percentunit",
            {"exporter, of a core": rate('process_cpu_seconds_total{job="exporter"}')},
        ),
    ),
)

DASHBOARDS = (SALE, HTTP, PIPELINE, STORES)
