"""Load profiles: requests per second over time. k6, Locust and our own client share them.

A profile in `profiles.json` has a start rate and stages. During a stage, the rate changes linearly
to the rate of the stage. Rates are requests per second.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROFILES = Path(__file__).with_name("profiles.json")


@dataclass(frozen=True)
class Profile:
    """A start rate and stages, which are pairs of (seconds, rate at the end of the stage)."""

    start: float
    stages: tuple[tuple[float, float], ...]

    @classmethod
    def named(cls, name: str) -> Self:
        """Read a profile of profiles.json."""
        found = json.loads(PROFILES.read_text())[name]
        stages = tuple((stage["seconds"], stage["rate"]) for stage in found["stages"])
        return cls(found["start"], stages)

    def scaled(self, rate: float, time: float) -> Self:
        """Return the same shape with rates multiplied by `rate` and durations by `time`."""
        stages = tuple((seconds * time, end * rate) for seconds, end in self.stages)
        return type(self)(self.start * rate, stages)

    @property
    def seconds(self) -> float:
        """The duration of the profile."""
        return sum(seconds for seconds, _ in self.stages)

    @property
    def peak(self) -> float:
        """The highest rate."""
        return max(self.start, *(rate for _, rate in self.stages))

    def rate_at(self, moment: float) -> float:
        """Return the rate at `moment`, in seconds after the start; 0 after the end."""
        begin, rate = 0.0, self.start
        for seconds, end in self.stages:
            if moment < begin + seconds:
                return rate + (end - rate) * (moment - begin) / seconds
            begin, rate = begin + seconds, end
        return 0.0

    def arrivals(self) -> Iterator[float]:
        """Yield the moment at which each request is due, in seconds after the start.

        Request n is due when the integral of the rate reaches n. Within a stage, this is a
        quadratic equation: rate * t + slope * t² / 2 = n.
        """
        begin, rate, before, number = 0.0, self.start, 0.0, 0
        for seconds, end in self.stages:
            slope, total = (end - rate) / seconds, (rate + end) / 2 * seconds
            while number < before + total:
                wanted = number - before
                root = math.sqrt(max(0.0, rate * rate + 2 * slope * wanted))
                yield begin + (2 * wanted / (rate + root) if wanted else 0.0)
                number += 1
            begin, rate, before = begin + seconds, end, before + total
