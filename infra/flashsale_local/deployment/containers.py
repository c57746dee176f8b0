"""The parameters of the optional stack of containers, infra/aws/container.yaml."""

from collections.abc import Mapping

from flashsale_local.problems import Problem

# Parameters of template.yaml that hold for the containers as well. They are set once, for both.
OF_APPLICATION = (
    "JwtIssuer", "JwtAudience", "JwtJwksUrl", "JwtJwks", "RateLimitUser", "RateLimitAddress",
    "CorsOrigins", "ProviderUrl", "ProviderKey", "RoomSecrets", "SweepAfter", "HoldGrace",
    "LogRetentionDays",
)  # fmt: skip


def check(environment: str, given: Mapping[str, str], application: Mapping[str, str]) -> None:
    """Check what the stack of containers is given.

    Args:
        environment: its name in samconfig.toml.
        given: parameters of container.yaml; empty if no containers are asked for.
        application: parameters of template.yaml.

    Raises:
        Problem: something is missing, or the stores are not those of data.yaml.

    """
    where = f"samconfig.toml's section {environment}.container.parameters"
    if not given:
        return
    if missing := [name for name in ("ImageUri", "CertificateArn") if not given.get(name)]:
        raise Problem(
            f"The containers need {' and '.join(missing)}.",
            f"Add it to parameter_overrides of {where}, or empty that to deploy no containers.",
        )
    if "@sha256:" not in given["ImageUri"]:
        raise Problem(
            f"ImageUri is {given['ImageUri']}: a tag can be moved, and a rollback would start "
            "another image.",
            f"Write the digest that `docker push` printed (…@sha256:…) in {where}.",
        )
    if "RedisUrl" in application:
        raise Problem(
            "Containers are deployed into the network of infra/aws/network.yaml only, and RedisUrl "
            "names other stores.",
            "Deploy infra/aws/container.yaml by `aws cloudformation deploy`, or empty "
            f"parameter_overrides of {where}.",
        )


def parameters(
    application: Mapping[str, str], network: Mapping[str, str], stores: Mapping[str, str]
) -> dict[str, str]:
    """Return the parameters of container.yaml, without those of its own section.

    Args:
        application: all parameters of template.yaml.
        network: outputs of network.yaml.
        stores: outputs of data.yaml.

    """
    shared = {name: application[name] for name in OF_APPLICATION if name in application}
    return shared | {
        "VpcId": network["VpcId"],
        "VpcCidr": network["VpcCidr"],
        "PublicSubnetIds": network["PublicSubnetIds"],
        "SubnetIds": network["SubnetIds"],
        "FunctionsSecurityGroup": network["SecurityGroupIds"],
        "RedisUrl": application["RedisUrl"],
        "DatabaseUrl": stores["DatabaseUrlOfContainers"],
        "DatabaseUserArn": stores["DatabaseUserArn"],
        "KeyArn": stores["KeyArn"],
    }
