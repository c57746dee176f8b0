"""The results of the model as a JSON document."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flashsale_desk.scaling import rates
from flashsale_desk.scaling.costs import LAMBDA_EDGES, Edge, crossover, hourly, per_million
from flashsale_desk.scaling.inputs import Inputs
from flashsale_desk.scaling.payments import per_million_payments
from flashsale_desk.scaling.rooms import CROWDS, waiting


def as_document(inputs: Inputs, wanted: Sequence[float]) -> dict[str, Any]:
    """Return all that the tables show, and the parts of the costs; rates are per second."""
    return {
        "needs": [asdict(rates.needs(inputs, rate)) for rate in wanted],
        "ceilings": [{"rate": rate, "what": what} for rate, what in rates.ceilings(inputs)],
        "costs": [
            {
                "rate": rate,
                "edge": edge,
                "usd_per_million": per_million(inputs, edge, rate),
                "usd_per_hour": hourly(inputs, edge, rate),
            }
            for rate in wanted
            for edge in Edge
        ],
        "payments": {edge: per_million_payments(inputs, edge) for edge in Edge},
        "rooms": [asdict(waiting(inputs, people)) for people in CROWDS],
        "crossover": {edge: crossover(inputs, edge) for edge in LAMBDA_EDGES},
        "assumptions": inputs.assumptions,
    }
