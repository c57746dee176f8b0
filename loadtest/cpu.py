"""CPU time of the servers of a stack."""

from collections.abc import Mapping
from contextlib import suppress

import psutil

from flashsale_local.stack.stack import Stack


def cpu_seconds(stack: Stack) -> Mapping[str, float]:
    """Return the CPU seconds of each server and its children since its start."""
    used = {}
    for name, row in stack.supervisor.info().items():
        if row["pid"]:
            process = psutil.Process(row["pid"])
            times = [process.cpu_times()]
            for child in process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):  # it has ended: see below
                    times.append(child.cpu_times())
            # A child that has ended is in the account of its parent.
            used[name] = sum(t.user + t.system for t in times)
            used[name] += times[0].children_user + times[0].children_system
    return used


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return CPU seconds between two readings; for a restarted server, those since its restart."""
    return {
        name: now - earlier if now >= (earlier := before.get(name, 0.0)) else now
        for name, now in after.items()
    }
