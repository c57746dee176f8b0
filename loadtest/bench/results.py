"""What a run of the benchmark leaves behind: results.json. The report is made from it alone."""

from collections.abc import Collection
from pathlib import Path
from typing import Self

from pydantic import BaseModel

from loadtest.samples import percentile_ms

GENERATIONS = (1, 2, 3, 4, 5)


class Timeline(BaseModel):
    """The client's view in steps of `step` seconds; rates are per second, latencies in ms.

    A latency is None where nothing was answered that was due in this step.
    """

    step: float
    offered: list[float] = []
    accepted: list[float] = []
    failed: list[float] = []
    p50: list[float | None] = []
    p95: list[float | None] = []


class Watch(BaseModel):
    """What the stores held, at `seconds` after the begin; None where a store did not answer."""

    seconds: float
    stock: int | None = None
    confirmed: int | None = None
    unsettled: int | None = None
    queue: int | None = None
    dead: int | None = None


class Fault(BaseModel):
    """What was done to the system: its name, and from when until when, in seconds."""

    name: str
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.begin


class Latency(BaseModel):
    """Percentiles in milliseconds, from the moment at which a request was due."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, seconds: Collection[float]) -> Self | None:
        """None of no durations."""
        if not seconds:
            return None
        return cls(**{f"p{n}": percentile_ms(seconds, n) for n in (50, 95, 99)})


class Sale(BaseModel):
    """One sale: what was offered, what buyers heard, and where every unit went.

    Attributes:
        kind: scarce or abundant stock, or the fault in the middle of it: outage, long outage, kill.
        seconds: from the first request to the last answer.
        answers: of all requests but throttled ones.
        acceptance: of accepted ones.
        confirmation: until an accepted order was in PostgreSQL (V4, V5; V1 to V3 wait for it).
        quantiles: of `answers`, for 1 to 99 and 99.9 percent.
        drain: seconds from the last answer until no unit was on its way.
        drain_rate: orders per second that were written meanwhile.
        healed_after: seconds from the end of the fault until all was well, None if it is not.

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
        """95 of 100 answers came within so many milliseconds."""
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
    """What the machine can offer at one edge, and the spike that follows from it.

    Attributes:
        floor: what was measured: a route that only echoes, a function that returns a constant.
        sustained: highest rate of the ramp at which the floor still answered in time.
        peak: of the spike.

    """

    name: str
    floor: str
    sustained: float
    peak: float


class About(BaseModel):
    """What was measured, on what, and how."""

    commit: str
    date: str
    machine: str
    versions: dict[str, str]
    command: str
    repeats: int
    seconds: float
    visibility_timeout: int
    minutes: float = 0.0


class Results(BaseModel):
    """All of it; `order` is that in which the sales were held."""

    about: About
    edges: list[Edge] = []
    order: list[str] = []
    sales: list[Sale] = []

    @classmethod
    def load(cls, path: Path) -> Self:
        """From results.json."""
        return cls.model_validate_json(path.read_text())

    def save(self, path: Path) -> None:
        """To results.json."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json())

    def of(self, kind: str, edge: str, generation: int) -> list[Sale]:
        """The repeats of one sale."""
        wanted = (kind, edge, generation)
        return [s for s in self.sales if (s.kind, s.edge, s.generation) == wanted]

    def middle(self, kind: str, edge: str, generation: int) -> Sale | None:
        """The repeat to draw: the one with the median p95, None if there was no such sale."""
        sales = sorted(self.of(kind, edge, generation), key=lambda sale: sale.p95)
        return sales[len(sales) // 2] if sales else None
