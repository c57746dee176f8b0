"""`template.yaml` after SAM's transform, as CloudFormation gets it, for checks that need no AWS."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from cfnlint.decode import decode
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from flashsale_local.paths import ROOT

TEMPLATE = ROOT / "template.yaml"

# Parameters of a deployment to AWS: they switch on everything that is off locally.
PRODUCTION = {
    "RedisUrl": "rediss+cluster://redis.example.org:6379",
    "DatabaseUrl": "postgresql://flashsale@proxy.example.org:5432/flashsale",
    "DatabaseUserArn": "arn:aws:rds-db:us-east-1:000000000000:dbuser:prx-0/flashsale",
    "KeyArn": "arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000",
    "Canary": "true",
    "Auth": "jwt",
    "JwtIssuer": "https://issuer.example.org/",
    "JwtAudience": "flashsale",
    "Tracing": "Active",
    "SubnetIds": "subnet-0,subnet-1",
    "SecurityGroupIds": "sg-0",
}


def transformed(
    parameters: Mapping[str, str] = PRODUCTION, layer: str = "s3://bucket/key"
) -> dict[str, Any]:
    """Return the template after the transform.

    Args:
        parameters: of the template; the others have their defaults.
        layer: where `sam deploy` uploaded the content of the layers.

    Raises:
        ValueError: the template cannot be parsed.

    """
    document, problems = decode(str(TEMPLATE))
    if problems:
        raise ValueError(problems)
    template = json.loads(json.dumps(document))
    for resource in template["Resources"].values():
        uploaded = {"CodeUri": "s3://bucket/key", "ContentUri": layer}
        resource["Properties"].update(
            {name: uploaded[name] for name in uploaded if name in resource["Properties"]}
        )
    defaults = {
        name: declared["Default"]
        for name, declared in template["Parameters"].items()
        if "Default" in declared
    }
    session = boto3.Session(region_name="us-east-1")
    translator = Translator({}, Parser(), boto_session=session)
    result: dict[str, Any] = translator.translate(
        template, parameter_values={**defaults, **parameters}
    )
    return result


def write() -> Path:
    """Write the transformed template as JSON where the checks look for it; return its path."""
    path = ROOT / ".aws-sam" / "transformed" / "template.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(transformed(), indent=1))
    return path


if __name__ == "__main__":
    write()
