"""docker compose, as `DOCKER=1 make up` calls it."""


def test_all_services_are_up(stack):
    listed = stack.docker("compose", "ps", "--all", "--format", "{{.Service}} {{.Health}}")
    states = listed.splitlines()

    assert len(states) == 8
    assert "edge healthy" in states
