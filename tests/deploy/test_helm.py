"""The Helm chart: valid objects of Kubernetes for every kind of values, and what they must say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from tests.deploy.haproxy import CONFIGURATION
from tests.waiting import TIMEOUT

from proctoring.settings import Settings

CHART = CONFIGURATION.parents[1] / "helm" / "proctoring"
NEEDED = ["image.repository=registry.example.org/proctoring-ai", "secretName=proctoring"]
KUBERNETES = "1.34.0"

FULL = [
    "ingress.enabled=true",
    "ingress.hosts={exams.example.org}",
    "ingress.tlsSecret=tls",
    "metrics.serviceMonitor=true",
    "metrics.tokenSecret=metrics",
    "server.evidenceClaim=evidence",
    "balancer.service.type=LoadBalancer",
    "settings.PROCTORING_MAX_SESSIONS=40",
    "networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.name=monitoring",
    "image.pullSecrets[0].name=registry",
]
VARIANTS = {
    "defaults": [],
    "everything, KEDA": [*FULL, "autoscaling.kind=keda"],
    "HPA": ["autoscaling.kind=hpa"],
    "no balancer": ["balancer.enabled=false", "networkPolicy.enabled=false"],
}


def go_program(name: str) -> str | None:
    """A program on the path, or where `go install` puts it."""
    folders = os.environ.get("GOBIN", f"{Path.home()}/go/bin")
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{folders}")


HELM, KUBECONFORM = go_program("helm"), go_program("kubeconform")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(HELM is None, reason="helm is not installed"),
]


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert HELM is not None
    return subprocess.run(
        [HELM, *arguments], capture_output=True, text=True, check=False, timeout=TIMEOUT
    )


@cache
def rendered(*values: str) -> str:
    """What `helm install exam` would send, hooks included."""
    chosen = [option for value in (*NEEDED, *values) for option in ("--set", value)]
    done = helm("template", "exam", str(CHART), "--kube-version", KUBERNETES, *chosen)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(*values: str) -> dict[tuple[str, str], dict[str, Any]]:
    """By kind and name."""
    found = [item for item in yaml.safe_load_all(rendered(*values)) if item is not None]
    by_name = {(item["kind"], item["metadata"]["name"]): item for item in found}
    assert len(by_name) == len(found)
    return by_name


def test_it_has_no_fault_that_helm_finds() -> None:
    chosen = [option for value in NEEDED for option in ("--set", value)]
    linted = helm("lint", "--strict", str(CHART), "--kube-version", KUBERNETES, *chosen)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kubernetes' own schemas, in which unknown fields are errors: one that is misspelt has no effect otherwise."""
    kept = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    newest = max(
        kept.glob("v*-local-strict"),
        key=lambda folder: [int(part) for part in folder.name[1:].split("-")[0].split(".")],
    )
    folder = tmp_path_factory.mktemp("schemas")
    for file in newest.iterdir():
        # Each names itself and the definitions by addresses in the net; here they are files.
        text = file.read_text().replace('"/api/_definitions.json#', '"_definitions.json#')
        schema = json.loads(text, object_hook=_without_description)
        schema.pop("$id", None)
        (folder / file.name).write_text(json.dumps(schema))
    return folder


def _without_description(item: dict[str, Any]) -> dict[str, Any]:
    """The greatest part of a schema."""
    return {
        key: value
        for key, value in item.items()
        if not isinstance(value, str) or key != "description"
    }


@pytest.mark.skipif(KUBECONFORM is None, reason="kubeconform is not installed")
@pytest.mark.parametrize("variant", VARIANTS)
def test_kubernetes_accepts_every_object(variant: str, schemas: Path) -> None:
    assert KUBECONFORM is not None
    checked = subprocess.run(
        [
            KUBECONFORM, "-strict", "-summary",
            "-schema-location", f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            # Of operators, whose schemas no package has.
            "-skip", "ScaledObject,ServiceMonitor,PodMonitor",
        ],
        input=rendered(*VARIANTS[variant]), capture_output=True, text=True, check=False,
        timeout=TIMEOUT,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Valid: 0" not in checked.stdout


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("secretName=", "secretName"),
        ("image.repository=", "repository"),
        ("autoscaling.kind=often", "kind"),
        ("autoscaling.targetNeeded=0.9", "targetNeeded"),
        ("server.terminationGracePeriodSeconds=5", "terminationGracePeriodSeconds"),
        ("settings.proctoring-host=x", "proctoring-host"),
        ("ingress.enabled=true", "hosts"),
        ("sever.replicas=3", "sever"),
    ],
)
def test_wrong_values_are_refused(value: str, complaint: str) -> None:
    chosen = [option for each in (*NEEDED, value) for option in ("--set", each)]
    done = helm("template", "exam", str(CHART), "--kube-version", KUBERNETES, *chosen)
    assert done.returncode != 0
    assert complaint in done.stderr


def test_its_haproxy_is_the_one_that_is_tested() -> None:
    text = CONFIGURATION.read_text()
    assert (CHART / "files" / "haproxy.cfg").read_text() == text
    assert objects()["ConfigMap", "exam-proctoring-balancer"]["data"]["haproxy.cfg"] == text


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_container_may_write_its_files_or_be_root(variant: str) -> None:
    pods = [
        item["spec"]["template"]["spec"]
        for item in objects(*VARIANTS[variant]).values()
        if "template" in item["spec" if "spec" in item else "metadata"]
    ]
    assert len(pods) == (2 if variant == "no balancer" else 3)
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


def test_every_variable_is_a_setting_of_the_server() -> None:
    container = objects(*FULL)["StatefulSet", "exam-proctoring"]["spec"]["template"]["spec"][
        "containers"
    ][0]
    known = {f"PROCTORING_{name.upper()}" for name in Settings.model_fields}
    named = {variable["name"] for variable in container["env"]}
    assert named - known - {"POD_IP", "FORWARDED_ALLOW_IPS"} <= {
        # Those of several servers on one database.
        "PROCTORING_CLUSTER_ADDRESS",
        "PROCTORING_CLUSTER_SECRET",
    }


def test_servers_begin_and_drain_together_and_are_replaced_one_by_one() -> None:
    found = objects()
    spec = found["StatefulSet", "exam-proctoring"]["spec"]
    assert spec["podManagementPolicy"] == "Parallel"
    assert spec["replicas"] == 3
    pod = spec["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= 40
    server = pod["containers"][0]
    assert server["readinessProbe"]["httpGet"]["path"] == "/api/ready"
    # A server that drains, or whose database is away, is not ready, and must not be killed for it.
    assert server["livenessProbe"]["httpGet"]["path"] == "/api/health"
    # One that is not ready keeps its sockets, so HAProxy must still find it.
    assert found["Service", "exam-proctoring-servers"]["spec"]["publishNotReadyAddresses"] is True
    assert found["PodDisruptionBudget", "exam-proctoring"]["spec"]["maxUnavailable"] == 1
    job = found["Job", "exam-proctoring-migration"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"


def test_the_number_of_servers_is_left_to_what_scales_them() -> None:
    for kind, target in (("hpa", "HorizontalPodAutoscaler"), ("keda", "ScaledObject")):
        found = objects(*FULL, f"autoscaling.kind={kind}")
        assert "replicas" not in found["StatefulSet", "exam-proctoring"]["spec"]
        text = yaml.safe_dump(found[target, "exam-proctoring"])
        assert "proctoring_workers_needed_ratio" in text
