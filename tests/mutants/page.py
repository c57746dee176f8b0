"""Faults of the shop's page."""

from tests.mutants.planted import Fault

PAGE = "web"
TESTS = "tests/shop"
HARD = f"{TESTS}/test_hard_cases.py"
SIGN_IN = f"{TESTS}/test_sign_in.py"

FAULTS = (
    Fault(
        "the key of a purchase is stored before it is sent",
        f"{PAGE}/shop.js",
        "mine.save({ key: crypto.randomUUID(), keyAt: Date.now() })",
        "Object.assign(mine, { key: crypto.randomUUID(), keyAt: Date.now() })",
        (f"{TESTS}/test_purchases.py::test_a_crash_in_the_middle_of_a_purchase_is_one_order",),
    ),
    Fault(
        "two tabs buy once",
        f"{PAGE}/shop.js",
        "mine.save({}); // another tab may buy",
        "",
        (f"{HARD}::test_two_tabs_that_buy_at_the_same_time_buy_once",),
    ),
    Fault(
        "an answer that is not the shop's ends no purchase",
        f"{PAGE}/api.js",
        "!body?.code || ",
        "",
        (f"{HARD}::test_an_answer_of_a_firewall_says_nothing_of_a_purchase",),
    ),
    Fault(
        "a purchase that the shop may have forgotten is not sent again",
        f"{PAGE}/shop.js",
        "Date.now() - mine.keyAt > KEY_LIFE",
        "false",
        (f"{HARD}::test_a_purchase_that_the_shop_may_have_forgotten_is_not_repeated",),
    ),
    Fault(
        "the address of an order replaces neither an order nor a purchase",
        f"{PAGE}/shop.js",
        "if (fragment.order && !key && !order)",
        "if (fragment.order)",
        (
            f"{HARD}::test_the_address_of_another_order_replaces_no_order",
            f"{HARD}::test_the_address_of_an_order_ends_no_purchase",
        ),
    ),
    Fault(
        "an older copy of a room changes nothing",
        f"{PAGE}/shop.js",
        "if (redis && known.sale) return change({ redis });",
        "",
        (f"{TESTS}/test_outages.py::test_an_older_copy_of_the_room_changes_nothing",),
    ),
    Fault(
        "the page goes by the shop's clock",
        f"{PAGE}/clock.js",
        "offset = Date.parse(iso) - performance.now()",
        "offset = Date.now() - performance.now()",
        (f"{TESTS}/test_clock.py::test_countdowns_are_right_where_the_visitors_clock_is_not",),
    ),
    Fault(
        "the link of somebody else signs nobody in",
        f"{PAGE}/identity.js",
        "state && state === fragment.get('state')",
        "true",
        (
            f"{SIGN_IN}::test_a_link_of_somebody_else_signs_nobody_in",
            f"{SIGN_IN}::test_an_answer_to_another_request_signs_nobody_in",
        ),
    ),
    Fault(
        "a token is never stored",
        f"{PAGE}/identity.js",
        "if (buyer) useToken(token);",
        "if (buyer) store('token', useToken(token));",
        (f"{SIGN_IN}::test_a_token_is_in_the_memory_of_the_page_only",),
    ),
    Fault(
        "a seed that was changed after its promise is told",
        f"{PAGE}/draw.js",
        "(await commitment(seed)) === seen",
        "true",
        (f"{TESTS}/test_draw.py::test_a_changed_seed_is_told",),
    ),
    Fault(
        "a room without an answer is still a room",
        f"{PAGE}/live.js",
        "if (!isRoom && (isTrouble(inRoom) || isTrouble(stock))) {",
        "if (!isRoom && isTrouble(stock)) {",
        (f"{TESTS}/test_outages.py::test_a_reload_without_an_answer_of_the_room_shows_no_turn",),
    ),
    Fault(
        "a product's name is text only",
        f"{PAGE}/view.js",
        "element.textContent = value",
        "element.innerHTML = value",
        (f"{TESTS}/test_policy.py::test_a_name_that_is_markup_is_only_text",),
    ),
)
