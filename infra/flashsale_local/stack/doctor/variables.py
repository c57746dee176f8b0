"""Checks of the shell's variables: those that point commands at other servers."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from flashsale_local.deployment.sign_in import auth_of, refuse_other_issuers
from flashsale_local.deployment.target import masked
from flashsale_local.problems import Problem
from flashsale_local.stack.doctor.finding import Finding, ok, problem, warning
from flashsale_local.stack.ports import DEFAULT_PORTS, port_of
from flashsale_local.stack.program import HOST
from flashsale_local.stack.stack import EMULATORS, Stack

PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def check_variables(environment: Mapping[str, str], stack: Stack | None) -> Iterator[Finding]:
    """Check the variables of this shell.

    Args:
        stack: None if the variables are too wrong to tell which one it is.

    """
    found = [*_wrong_values(environment), *_other_servers(environment, stack)]
    found += _aws(environment)
    found += _proxy(environment)
    yield from found or [ok("variables", "none points a command at other servers")]


def _wrong_values(environment: Mapping[str, str]) -> Iterator[Finding]:
    for variable in DEFAULT_PORTS:
        yield from _refused(lambda name=variable: port_of(environment, name))
    yield from _refused(lambda: auth_of(environment))
    yield from _refused(lambda: refuse_other_issuers(environment))
    if (name := environment.get("EMULATOR")) and name not in EMULATORS:
        way_out = f"Use one of {', '.join(EMULATORS)}, or `unset EMULATOR`."
        if name == "aws":
            yield problem("variables", "EMULATOR is aws: commands work on AWS itself", way_out)
        else:
            yield problem("variables", f"EMULATOR is {name!r}", way_out)


def _refused(read: object) -> Iterator[Finding]:
    try:
        read()  # type: ignore[operator]
    except Problem as refused:
        yield problem("variables", refused.cause.rstrip("."), refused.way_out)


def _other_servers(environment: Mapping[str, str], stack: Stack | None) -> Iterator[Finding]:
    if stack is None:
        return
    own = {program.name for program in stack.programs}
    for variable, program in (
        ("REDIS_URL", stack.redis),
        ("DATABASE_URL", stack.database),
        ("AWS_ENDPOINT_URL", stack.emulator),
    ):
        url = environment.get(variable)
        if url and program.name in own:
            yield ok("variables", f"{variable} is this stack's own {program.name}")
        elif url:
            yield warning(
                "variables",
                f"{variable} is {masked(url)}: commands use it, and start no {program.name}",
                f"`unset {variable}`, unless you mean that server.",
            )


def _aws(environment: Mapping[str, str]) -> Iterator[Finding]:
    for variable in sorted(environment):
        if variable.startswith("AWS_ENDPOINT_URL_"):  # boto3 prefers it to AWS_ENDPOINT_URL
            yield problem(
                "variables",
                f"{variable} is set: this service's requests go there, not to the emulator",
                f"`unset {variable}`.",
            )
    if environment.get("AWS_PROFILE") and not environment.get("AWS_ACCESS_KEY_ID"):
        yield warning(
            "variables",
            "AWS_PROFILE is set. Local commands ignore it; deploy --env prod uses it",
            "`unset AWS_PROFILE`, unless you deploy to AWS from this shell.",
        )
    if environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        yield problem(
            "variables",
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is true: boto3 would call AWS itself",
            "`unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`.",
        )


def _proxy(environment: Mapping[str, str]) -> Iterator[Finding]:
    proxy = next((name for name in PROXIES if environment.get(name)), None)
    spared = (environment.get("no_proxy") or environment.get("NO_PROXY") or "").split(",")
    if proxy and not {HOST, "*", "127.0.0.0/8"} & {host.strip() for host in spared}:
        where = urlsplit(environment[proxy]).hostname or "it"
        yield warning(
            "variables",
            f"{proxy} is set: requests to {HOST} go to {where} as well",
            f"`export NO_PROXY={HOST},localhost no_proxy={HOST},localhost`.",
        )
