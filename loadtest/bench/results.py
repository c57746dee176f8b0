"""The figures of a benchmark run, kept in results.json. The report needs nothing else."""

from collections.abc import Collection
from pathlib import Path
from typing import Self

from pydantic import BaseModel

from loadtest.samples import percentile_ms

GENERATIONS = (1, 2, 3, 4, 5)


class Timeline(BaseModel):
    """The client's view in steps of `step` seconds. Rates are per second, latencies in ms.

    A request counts in the step in which it was due. A latency is None if no request of the step
    was answered.

    Attributes:
        accepted_at: accepted purchases per second, in the step in which their answer came.
        failed_at: the same for failed ones. Results of before November 2026 have neither.

    """

    step: float
    offered: list[float] = []
    accepted: list[float] = []
    failed: list[float] = []
    accepted_at: list[float] = []
    failed_at: list[float] = []
    p50: list[float | None] = []
    p95: list[float | None] = []


class Watch(BaseModel):
    """What the stores held `seconds` after the start; None if a store did not answer.

    Attributes:
        postgres_seconds: when PostgreSQL answered, which may be much later.

    """

    seconds: float
    postgres_seconds: float | None = None
    stock: int | None = None
    confirmed: int | None = None
    unsettled: int | None = None
    queue: int | None = None
    dead: int | None = None

    def moment_of(self, what: str) -> float:
        """Return the seconds at which this figure was read."""
        late = self.postgres_seconds if what == "confirmed" else None
        return self.seconds if late is None else late


class Fault(BaseModel):
    """A fault with its name, its start and its end in seconds."""

    name: str
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """The duration of the fault."""
        return self.end - self.begin


class Latency(BaseModel):
    """Percentiles of latency in milliseconds, counted from when a request was due."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, seconds: Collection[float]) -> Self | None:
        """Compute the percentiles of these durations; None if there are none."""
        if not seconds:
            return None
        return cls(**{f"p{n}": percentile_ms(seconds, n) for n in (50, 95, 99)})


class Sale(BaseModel):
    """One sale: the load, the answers to buyers, and where every unit went.

    Attributes:
        kind: scarce or abundant (stock), or the fault: outage or long outage.
        seconds: from the first request to the last answer.
        answers: latency of all requests except throttled ones.
        acceptance: latency of accepted requests.
        confirmation: time until an accepted order was in PostgreSQL (V4 and V5 only).
        quantiles: of `answers`, for 1 to 99 and 99.9 percent.
        drain: seconds from the last answer until no unit was on its way.
        drain_rate: orders per second that were written in that time.
        healed_after: seconds from the end of the fault until recovery; None if it never came.

    """

    generation: int
    edge: str
    kind: str
    repeat: int
    units: int
    offered: int
    seconds: float
    accepted: int
    sold_out: int
    throttled: int
    refused: int
    failed: int
    dropped: int
    server_errors: int
    database_errors: int
    answers: Latency | None
    acceptance: Latency | None
    confirmation: Latency | None
    quantiles: list[float]
    drain: float
    drain_rate: float | None
    confirmed: int
    cancelled: int
    oversold: int
    lost: int
    imbalance: int
    broken: bool
    timeline: Timeline
    watched: list[Watch]
    fault: Fault | None = None
    accepted_during_fault: int = 0
    healed_after: float | None = None

    @property
    def p95(self) -> float:
        """The 95th percentile of `answers`, in milliseconds."""
        return self.answers.p95 if self.answers else float("inf")

    @property
    def rate(self) -> float:
        """Attempts per second, on average."""
        return self.offered / self.seconds

    @property
    def accepted_per_second(self) -> float:
        """Accepted purchases per second, from the first request to the last answer."""
        return self.accepted / self.seconds

    @property
    def persisted_per_second(self) -> float:
        """Confirmed orders per second, from the first request until none was on its way."""
        return self.confirmed / (self.seconds + self.drain)


class Edge(BaseModel):
    """What the machine can serve at one edge, and the peak that follows from it.

    Attributes:
        floor: what was measured: an echo route, or a function that returns a constant.
        sustained: the highest rate at which the floor still answered in time.
        peak: the highest rate of the spike.

    """

    name: str
    floor: str
    sustained: float
    peak: float


class About(BaseModel):
    """The code, the machine and the options of a run."""

    commit: str
    date: str
    machine: str
    versions: dict[str, str]
    command: str
    repeats: int
    seconds: float
    visibility_timeout: int
    minutes: float = 0.0


class Kill(BaseModel):
    """What one kill of a web worker did to one generation.

    Attributes:
        number: which kill it was, from 0 on.
        under_way: purchases that were between two of their steps.
        confirmed: how many of them have a confirmed order in the end.
        lost: units that are neither in stock nor in an order.

    """

    number: int
    generation: int
    under_way: int
    confirmed: int
    lost: int


class Kills(BaseModel):
    """All kills. They do not depend on speed, so they can be measured in a run of their own."""

    commit: str
    date: str
    command: str
    outcomes: list[Kill] = []

    @property
    def times(self) -> int:
        """The number of workers that were killed."""
        return len({one.number for one in self.outcomes})

    def of(self, generation: int) -> list[Kill]:
        """Return what each kill did to a generation."""
        return [one for one in self.outcomes if one.generation == generation]


class Results(BaseModel):
    """All figures of a run. `order` names the products in the order of their sales."""

    about: About
    edges: list[Edge] = []
    order: list[str] = []
    sales: list[Sale] = []
    kills: Kills | None = None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read results.json."""
        return cls.model_validate_json(path.read_text())

    def save(self, path: Path) -> None:
        """Write results.json."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json())

    def of(self, kind: str, edge: str, generation: int) -> list[Sale]:
        """Return the repeats of one sale."""
        wanted = (kind, edge, generation)
        return [s for s in self.sales if (s.kind, s.edge, s.generation) == wanted]

    def middle(self, kind: str, edge: str, generation: int) -> Sale | None:
        """Return the repeat with the median p95, None if there was no such sale."""
        sales = sorted(self.of(kind, edge, generation), key=lambda sale: sale.p95)
        return sales[len(sales) // 2] if sales else None
