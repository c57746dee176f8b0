"""The last sale of each generation, side by side."""

from dataclasses import dataclass

from flashsale_local.live_page.figures import figures
from flashsale_local.live_page.history import History
from flashsale_local.live_page.latency import percentiles_ms
from flashsale_local.live_page.reading import Reading
from flashsale_local.live_page.verdict import Status, Verdict, judge
from flashsale_local.sale.answers import CLEAR
from flashsale_local.sale.load import Answer


@dataclass(frozen=True, slots=True)
class Score:
    """What became of one sale.

    Attributes:
        sold: units that buyers were promised: confirmed, held until they are paid, or with an order
            on its way.
        lost: None while it cannot be known.
        errors: answers that were neither "sold" nor "sold out". None if this page sent no buyers.
        p95_ms: 95th percentile of the waiting times of this page's buyers.

    """

    product_id: str
    units: int
    sold: int
    oversold: int
    lost: int | None
    errors: int | None
    p95_ms: float | None


class Entry:
    """One sale on the scoreboard, as it was read last."""

    def __init__(self, product_id: str) -> None:
        self.product_id = product_id
        self._history = History(kept=2)
        self._answers: list[Answer] = []
        self._verdict: Verdict | None = None

    def add_answer(self, answer: Answer) -> None:
        """Count an answer to one of this page's buyers."""
        self._answers.append(answer)

    def add(self, seen: Reading, *, buying: bool) -> None:
        """Replace the last reading, unless the new one knows less."""
        if seen.books is None or (seen.down and self.settled):
            return
        self._history.add(seen, buying=buying)
        self._verdict = judge(seen, self._history.earlier(seen), buying=buying)

    @property
    def settled(self) -> bool:
        """Whether no unit moves any more, so that the sale need not be read again."""
        seen = self._history.last
        if seen is None or seen.books is None or seen.down:
            return False
        units = figures(seen.books, at_rest=True)
        return seen.at_rest and not units.on_the_way and not units.held

    @property
    def score(self) -> Score | None:
        """What became of the sale, or None if no buyer came yet."""
        seen, verdict = self._history.last, self._verdict
        if seen is None or seen.books is None or verdict is None:
            return None
        units = figures(seen.books, at_rest=seen.at_rest)
        if not (units.taken or self._answers):
            return None
        known = verdict.status in (Status.GOOD, Status.BAD) or seen.books.parked > 0
        errors = sum(answer.kind not in CLEAR for answer in self._answers)
        percentiles = percentiles_ms(self._answers)
        return Score(
            self.product_id,
            units.initial,
            units.confirmed + units.held + units.on_the_way + units.parked,
            seen.books.oversold,
            seen.books.lost if known else None,
            errors if self._answers else None,
            percentiles[1] if percentiles else None,
        )


class Scoreboard:
    """The last sale of each channel in which a unit was taken or a buyer was turned away."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}  # by product
        self._shown: dict[str, Entry] = {}  # by the name of the channel

    @property
    def scores(self) -> dict[str, Score]:
        """The scores by the name of the channel."""
        found = {name: entry.score for name, entry in self._shown.items()}
        return {name: score for name, score in found.items() if score}

    @property
    def unsettled(self) -> list[str]:
        """The products that are shown and have to be read again."""
        return [entry.product_id for entry in self._shown.values() if not entry.settled]

    def add_answer(self, product_id: str, answer: Answer) -> None:
        """Count an answer to one of this page's buyers."""
        self._entry(product_id).add_answer(answer)

    def add(self, name: str, product_id: str, seen: Reading, *, buying: bool = False) -> None:
        """Add a reading of a product that this channel sells."""
        entry = self._entry(product_id)
        entry.add(seen, buying=buying)
        if entry.score:
            self._shown[name] = entry
            shown = [entry.product_id for entry in self._shown.values()]
            self._entries = {name: self._entries[name] for name in {*shown, product_id}}

    def _entry(self, product_id: str) -> Entry:
        return self._entries.setdefault(product_id, Entry(product_id))
