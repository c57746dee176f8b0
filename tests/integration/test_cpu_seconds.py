"""The CPU time of a stack's servers, as benchmarks measure it."""

from loadtest.cpu import cpu_seconds
from tests.helpers.support import until


async def test_cpu_time_includes_each_server_and_its_children(stack, services):
    before = cpu_seconds(stack)

    async def worked():
        await services.redis.eval("for i = 1, 1e6 do local _ = i * i end", 0)
        async with services.database.transaction() as connection:  # a child of postgres
            await connection.execute("SELECT sum(i) FROM generate_series(1, 1000000) AS i")
        now = cpu_seconds(stack)
        return all(now[name] > before[name] for name in ("valkey", "postgres"))

    await until(worked)
