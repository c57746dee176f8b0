"""Reads the CPU time of a stack's servers."""

from collections.abc import Mapping
from contextlib import suppress

import psutil

from flashsale_local.stack.stack import Stack


def cpu_seconds(stack: Stack) -> Mapping[str, float]:
    """Return the CPU seconds of each server and its children since they started."""
    used = {}
    for name, row in stack.supervisor.info().items():
        if row["pid"]:
            process = psutil.Process(row["pid"])
            times = [process.cpu_times()]
            for child in process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):  # it has ended; see below
                    times.append(child.cpu_times())
            # The parent's figures include the children that have ended.
            used[name] = sum(t.user + t.system for t in times)
            used[name] += times[0].children_user + times[0].children_system
    return used


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the CPU seconds between two readings; of a restarted server, those since its start."""
    return {
        name: now - earlier if now >= (earlier := before.get(name, 0.0)) else now
        for name, now in after.items()
    }
