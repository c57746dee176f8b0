"""The event loop of a queue function."""

import signal

from flashsale.runtime import process


class Outcome:
    described = 0

    def __repr__(self):
        type(self).described += 1
        return "a text of a thousand orders"


def test_an_invocation_does_not_describe_its_outcome(monkeypatch):
    """`asyncio.run` does, for its handler of SIGINT: a third of the time of a large batch."""
    monkeypatch.setattr(process, "services", lambda: None)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "asyncio looks for it"

    async def use_case(_):
        return Outcome()

    assert isinstance(process.run(use_case), Outcome)
    assert Outcome.described == 0
