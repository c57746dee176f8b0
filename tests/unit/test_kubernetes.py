"""`infra/kubernetes/flashsale.yaml`. `make policy-checks` also validates it by schemas."""

from importlib.util import find_spec

import pytest
import yaml

from flashsale.config import Settings
from flashsale.http.application import create_app
from flashsale_local.paths import ROOT
from flashsale_server.edge.__main__ import SETTINGS as OF_GRANIAN
from flashsale_server.exporter.settings import ExporterSettings
from tests.helpers.granian import accepted_by_granian
from tests.helpers.image import variables_of_image
from tests.helpers.in_process import client_of

DOCUMENTS = list(yaml.safe_load_all((ROOT / "infra" / "kubernetes" / "flashsale.yaml").read_text()))
PODS = {one["metadata"]["name"]: one["spec"]["template"]["spec"]
        for one in DOCUMENTS if one["kind"] == "Deployment"}  # fmt: skip
# What `kubectl create secret` in the manifest's comment makes.
SECRET = {"REDIS_URL": "rediss://redis:6379", "DATABASE_URL": "postgresql://postgres/flashsale"}


def of_kind(kind):
    return [one for one in DOCUMENTS if one["kind"] == kind]


def container(pod):
    (only,) = PODS[pod]["containers"]
    return only


def environment():
    """Return what a container of the manifest has, with the variables of the image."""
    (values,) = of_kind("ConfigMap")
    return variables_of_image() | values["data"] | SECRET


@pytest.mark.parametrize("pod", PODS)
def test_a_pod_is_hardened(pod):
    spec, one = PODS[pod], container(pod)

    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65534,
        "runAsGroup": 65534,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert spec["automountServiceAccountToken"] is False
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [mount["mountPath"] for mount in one["volumeMounts"]] == ["/tmp"]
    assert all("emptyDir" in volume for volume in spec["volumes"])
    assert "@sha256:" in one["image"]
    assert {"cpu", "memory"} == one["resources"]["requests"].keys()


@pytest.mark.parametrize("pod", PODS)
def test_a_pod_starts_with_its_environment(pod):
    (config, secret) = container(pod)["envFrom"]

    assert config["configMapRef"]["name"] == "flashsale"
    assert secret["secretRef"]["name"] == "flashsale-stores"
    assert Settings.from_mapping(environment()).auth == "jwt"
    watched = ExporterSettings.from_mapping(environment())
    assert (watched.host, watched.endpoint_url) == ("0.0.0.0", ""), "Prometheus reaches it; on AWS"
    for name, value in environment().items():
        assert not name.startswith("GRANIAN_") or accepted_by_granian(name, value)


@pytest.mark.parametrize("pod", PODS)
def test_a_pod_runs_a_module_that_exists(pod):
    command = container(pod).get("command", ["python", "-m", "flashsale_server.edge"])

    assert command[:2] == ["python", "-m"]
    assert find_spec(command[2])


def test_probes_call_the_ports_that_the_processes_serve():
    ports = {pod: container(pod)["ports"][0]["containerPort"] for pod in PODS}
    given = environment()

    assert ports == {
        "edge": int(given["GRANIAN_PORT"]),
        "relay": int(given["FLASHSALE_RELAY_PORT"]),
        "exporter": int(given["FLASHSALE_EXPORTER_PORT"]),
    }
    for pod in PODS:
        for probe in ("readinessProbe", "livenessProbe"):
            assert container(pod)[probe]["httpGet"]["port"] == container(pod)["ports"][0]["name"]


async def test_only_the_start_of_the_edge_depends_on_the_stores():
    """A store that is down must neither restart pods, nor take them all out of the service."""

    def no_services():
        raise AssertionError("a store was asked")

    edge = container("edge")
    async with client_of(create_app(no_services)) as http:
        for probe in ("readinessProbe", "livenessProbe"):
            path = edge[probe]["httpGet"]["path"]
            assert (await http.get(path)).status_code == 200
        assert edge["startupProbe"]["httpGet"]["path"] == "/health"
        assert (await http.get("/health")).status_code >= 500


@pytest.mark.parametrize("pod", PODS)
def test_a_pod_has_time_to_stop(pod):
    sleeps = container(pod).get("lifecycle", {}).get("preStop", {}).get("sleep", {"seconds": 0})
    kills = int(OF_GRANIAN["GRANIAN_WORKERS_KILL_TIMEOUT"])

    assert PODS[pod]["terminationGracePeriodSeconds"] > sleeps["seconds"] + kills


def test_what_belongs_together_has_the_same_labels():
    labels = {one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
              for one in of_kind("Deployment")}  # fmt: skip
    (service,), (budget,), (policy,) = map(
        of_kind, ("Service", "PodDisruptionBudget", "NetworkPolicy")
    )

    assert service["spec"]["selector"].items() <= labels["edge"].items()
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels["edge"].items()
    for pod in PODS:
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels[pod].items()
    assert {one["metadata"].get("namespace", "flashsale") for one in DOCUMENTS} == {"flashsale"}


def test_the_autoscaler_owns_the_number_of_pods():
    (scaler,) = of_kind("HorizontalPodAutoscaler")
    (edge,) = [one for one in of_kind("Deployment") if one["metadata"]["name"] == "edge"]

    assert scaler["spec"]["scaleTargetRef"]["name"] == "edge"
    assert scaler["spec"]["minReplicas"] >= 2
    assert "replicas" not in edge["spec"]
