"""docs/runbook.md has a section for each alert. Commands of it and of docs/sale-day.md exist."""

import re
import shlex

import pytest
import typer.core
import typer.main
import yaml
from cfnlint.decode import decode

from flashsale_local.cli import app
from flashsale_local.paths import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
SALE_DAY = (ROOT / "docs" / "sale-day.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
RULES = ROOT / "monitoring" / "rules" / "alerts.yml"
PAGES = f"{RUNBOOK}\n{SALE_DAY}"
QUOTED = re.findall(r"^ +\$ (flashsale .+)$|`(flashsale [^`]+)`", PAGES, re.MULTILINE)
COMMANDS = sorted({shown or named for shown, named in QUOTED})


def alarms(stack="monitoring"):
    document, problems = decode(str(ROOT / "infra" / "aws" / f"{stack}.yaml"))
    assert not problems
    found = document["Resources"].items()
    return {
        name: row["Properties"]["AlarmDescription"]["Fn::Sub"]
        for name, row in found
        if row["Type"] == "AWS::CloudWatch::Alarm"
    }


def alerts():
    groups = yaml.safe_load(RULES.read_text())["groups"] if RULES.exists() else []
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    return {rule["alert"]: rule["labels"]["severity"] for rule in rules}


def test_alerts_and_alarms_have_one_section_each():
    assert set(alarms()) | set(alerts()) == set(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_each_section_has_all_parts(name):
    for part in (
        "**Severity**",
        "**First five minutes** ",
        "**Means**",
        "**Buyers see**",
        "**Do not**",
        "**Over** when",
        "flashsale ",
    ):
        assert part in SECTIONS[name], part


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_exists_with_these_options(command):
    """Parse the command as the command line does, without running it."""
    _, *words = shlex.split(command)
    context = typer.main.get_command(app).make_context("flashsale", words)
    while isinstance(context.command, typer.core.TyperGroup):
        name, node, rest = context.command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        context = node.make_context(name, rest, parent=context)


def test_the_severities_are_those_of_the_alerts_and_alarms():
    told = {name: re.search(r"^\*\*Severity\*\* (\w+)\.$", text, re.MULTILINE)[1]
            for name, text in SECTIONS.items()}  # fmt: skip
    described = {name: re.match(r"\[(\w+)\] ", text)[1] for name, text in alarms().items()}

    assert set(told.values()) == {"page", "ticket"}
    assert told == alerts() | described
    assert told == described | alerts()


@pytest.mark.parametrize("phase", ["Before", "During", "Stop it now", "After"])
def test_the_day_of_a_sale_has_each_phase_with_commands(phase):
    (text,) = re.findall(rf"^## {phase}\n(.*?)(?=^## |\Z)", SALE_DAY, re.MULTILINE | re.DOTALL)

    assert "flashsale " in text


def test_alarms_of_containers_have_the_same_names_and_severities():
    of_all = alarms()

    assert alarms("container")
    for name, text in alarms("container").items():
        assert text[: text.index("]")] == of_all[name][: of_all[name].index("]")]
        assert text.endswith(f"${{Runbook}}#{name.lower()}")


def test_every_link_leads_to_a_section():
    for anchor in re.findall(r"\]\(#([^)]+)\)", RUNBOOK):
        assert anchor in {name.lower() for name in SECTIONS}
