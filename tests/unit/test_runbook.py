"""docs/runbook.md has a section for each alert, and its commands exist."""

import re

import pytest
import typer.core
import typer.main
import yaml
from cfnlint.decode import decode

from flashsale_local.cli import app
from flashsale_local.paths import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
RULES = ROOT / "monitoring" / "rules" / "alerts.yml"
QUOTED = re.findall(r"^ +\$ (flashsale .+)$|`(flashsale [^`]+)`", RUNBOOK, re.MULTILINE)
COMMANDS = sorted({shown or named for shown, named in QUOTED})


def alarms():
    document, problems = decode(str(ROOT / "infra" / "aws" / "monitoring.yaml"))
    assert not problems
    found = document["Resources"].items()
    return [name for name, row in found if row["Type"] == "AWS::CloudWatch::Alarm"]


def alerts():
    groups = yaml.safe_load(RULES.read_text())["groups"] if RULES.exists() else []
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]


def test_alerts_and_alarms_have_one_section_each():
    assert set(alarms()) | set(alerts()) == set(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_each_section_has_all_parts(name):
    for part in ("**Means**", "**Buyers see**", "**Do not**", "**Over** when", "flashsale "):
        assert part in SECTIONS[name], part


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_exists_with_these_options(command):
    """Parse the command as the command line does, without running it."""
    _, *words = command.split()
    context = typer.main.get_command(app).make_context("flashsale", words)
    while isinstance(context.command, typer.core.TyperGroup):
        name, node, rest = context.command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        context = node.make_context(name, rest, parent=context)


def test_every_link_leads_to_a_section():
    for anchor in re.findall(r"\]\(#([^)]+)\)", RUNBOOK):
        assert anchor in {name.lower() for name in SECTIONS}
