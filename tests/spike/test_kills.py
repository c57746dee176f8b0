"""The benchmark's kills on the deployed application: each loses the same, run by run."""

from loadtest.bench.kills import kill_workers, unexpected


async def test_each_kill_loses_what_the_designs_lead_to(stack, target, services):
    kills = await kill_workers(stack, target, services, 2, "make bench")

    assert unexpected(kills) == []
    assert kills.times == 2
    lost = [[one.lost for one in kills.of(generation)] for generation in (1, 2, 3, 4, 5)]
    assert lost == [[1, 1], [0, 0], [1, 1], [1, 1], [0, 0]]
    assert [one.confirmed for one in kills.of(5)] == [1, 1]
    assert "edge-to-kill" not in stack.supervisor.info()
