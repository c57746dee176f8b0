"""The demo's sale behind a waiting room, on the deployed application."""

from dataclasses import replace

from flashsale_local.deployment.target import with_services
from flashsale_local.sale import roomed
from flashsale_local.sale.demo_tables import reasons_of_room


def test_nobody_passes_the_room_and_everything_is_sold(deployed, asgi_url, new_product):
    target = replace(deployed, asgi_url=asgi_url)

    sale = with_services(
        target, lambda services: roomed.hold(target, services, f"{id(new_product):x}")
    )

    assert sale.findings == []
    assert sale.door.admitted == sale.door.bought + sale.door.found_nothing
    assert list(reasons_of_room(sale))
