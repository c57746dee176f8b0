"""What supervisord says of a program that it is to start."""

from xmlrpc.client import Fault

import pytest

from flashsale_local.stack.supervisor import Supervisor


@pytest.fixture
def supervisor(tmp_path, monkeypatch):
    """Return a supervisord that answers with a fault."""
    supervisor = Supervisor(tmp_path)

    def faulty(fault):
        def call(*_):
            raise Fault(50, f"{fault}: valkey")

        monkeypatch.setattr(supervisor, "_call", call)
        return supervisor

    return faulty


@pytest.mark.parametrize("fault", ["ALREADY_STARTED", "SPAWN_ERROR", "ABNORMAL_TERMINATION"])
def test_a_program_that_has_started_or_ended_already_is_looked_at_later(supervisor, fault):
    supervisor(fault).start_program("valkey")


def test_a_program_that_cannot_be_started_is_an_error(supervisor):
    with pytest.raises(Fault, match="NO_FILE"):
        supervisor("NO_FILE").start_program("valkey")
