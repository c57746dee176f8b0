"""The payment of a RESERVED order: the buyer begins it here, and makes it at the provider."""

import re
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from flashsale.domain.model import ORDER_ID
from flashsale.domain.payment_attempts import CannotBegin, NotPayable
from flashsale.http.auth import Buyer
from flashsale.http.dependencies import Injected
from flashsale.http.problems import problem_response, problems
from flashsale.usecases.payment_attempts import begin_payment

_CANNOT = {
    CannotBegin.NO_SUCH_ORDER: (404, "No such order."),
    CannotBegin.HOLD_EXPIRING: (409, "Less than ten seconds are left, too few to pay."),
    CannotBegin.AMOUNT: (409, "The provider cannot take this amount in this currency."),
    CannotBegin.NO_PROVIDER: (501, "This shop takes payments without this route."),
}

router = APIRouter(prefix="/api/v5")


class PaymentBody(BaseModel):
    """A payment that the buyer can make now, at the provider, until `expiresAt`."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)

    payment_id: str
    client_secret: str
    expires_at: datetime


@router.post(
    "/orders/{order_id}/payment",
    status_code=201,
    response_model=PaymentBody,
    responses=problems(401, 404, 409, 501, 503),
)
async def begin_v5_payment(
    order_id: str, buyer: Buyer, services: Injected
) -> PaymentBody | Response:
    """Begin the payment of a RESERVED order. A repeat gets the same payment.

    With `clientSecret` the client pays at the provider, for example by Stripe.js. The order becomes
    CONFIRMED when the provider has reported the payment. Where buyers need a token, the order of
    another buyer is answered as an unknown one.
    """
    if not re.fullmatch(ORDER_ID, order_id):
        return _cannot(CannotBegin.NO_SUCH_ORDER)
    begun = await begin_payment(services, order_id, buyer.user_id if buyer else None)
    if isinstance(begun, CannotBegin):
        return _cannot(begun)
    if isinstance(begun, NotPayable):
        return problem_response(409, "not_payable", f"The order is {begun.status}.")
    return PaymentBody.model_validate(begun)


def _cannot(reason: CannotBegin) -> Response:
    status, detail = _CANNOT[reason]
    return problem_response(status, reason.value, detail)
