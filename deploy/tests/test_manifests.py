"""What Kubernetes is told keeps what we promise, object by object."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.tests.known import COMMANDS, PROCESSES, ROOT, check_variables, run
from deploy.tests.rendered import (
    STEPS,
    Object,
    container,
    everything,
    name_of,
    named,
    of_kind,
    pod,
    render,
    secret_files,
    told,
    workloads,
)
from hourbook_contracts.topics import COMMON_SETTINGS, TOPICS

OVERLAYS = ("single-node", "production")
VERSION = "1.37"
LONGEST_STATEMENT_SECONDS = 30
"""hourbook_kit.postgres.SESSION: a transaction is over by then, one way or the other."""

both = pytest.mark.parametrize("overlay", OVERLAYS)
each = pytest.mark.parametrize(
    "workload",
    [
        pytest.param(workload, id=f"{overlay}/{name_of(workload)}")
        for overlay in OVERLAYS
        for workload in workloads(everything(overlay))
    ],
)
each_of_ours = pytest.mark.parametrize(
    ("overlay", "name"), [(overlay, name) for overlay in OVERLAYS for name in PROCESSES]
)


def service_of(overlay: str, name: str) -> Object:
    kind = "StatefulSet" if name == "reconciler" else "Deployment"
    return named(render(overlay, "."), kind, name)


# ------------------------------------------------------------------------------------------- shape
@both
@pytest.mark.parametrize("step", STEPS)
def test_kubernetes_own_kinds_are_as_its_schemas_want_them(overlay: str, step: str) -> None:
    for found in render(overlay, step):
        if "." not in found["apiVersion"].split("/")[0] or ".k8s.io" in found["apiVersion"]:
            kubernetes_validate.validate(found, VERSION, strict=True)


@both
def test_everything_stands_in_the_one_namespace_and_once(overlay: str) -> None:
    names = [
        name_of(found) + found["metadata"].get("namespace", "") for found in everything(overlay)
    ]
    assert len(set(names)) == len(names)
    for found in everything(overlay):
        if found["kind"] != "Namespace":
            assert found["metadata"]["namespace"] == "hourbook"


@both
def test_the_namespace_holds_pods_to_the_restricted_standard(overlay: str) -> None:
    labels = named(render(overlay, "data"), "Namespace", "hourbook")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


# -------------------------------------------------------------------------------------------- pods
@each
def test_a_pod_may_do_nothing_that_it_need_not(workload: Object) -> None:
    security, mine = pod(workload)["securityContext"], container(workload)["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert mine["allowPrivilegeEscalation"] is False
    assert mine["readOnlyRootFilesystem"] is True
    assert mine["capabilities"] == {"drop": ["ALL"]}
    for forbidden in ("hostNetwork", "hostPID", "hostIPC"):
        assert not pod(workload).get(forbidden)
    for volume in pod(workload)["volumes"]:
        assert "hostPath" not in volume


@both
def test_a_pod_has_an_account_of_its_own_and_no_token(overlay: str) -> None:
    objects = everything(overlay)
    for workload in workloads(objects):
        account = pod(workload)["serviceAccountName"]
        assert account != "default"
        assert pod(workload)["automountServiceAccountToken"] is False
        assert pod(workload)["enableServiceLinks"] is False
        found = named(objects, "ServiceAccount", account)
        assert found["automountServiceAccountToken"] is False


@each
def test_a_container_says_what_it_needs_and_no_more(workload: Object) -> None:
    resources = container(workload)["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"].keys() == {"cpu", "memory"}
    for volume in pod(workload)["volumes"]:
        assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]


@each
def test_an_image_has_an_exact_version(workload: Object) -> None:
    assert re.fullmatch(r"[a-z0-9./-]+:(\d+\.\d+\.\d+|18)", container(workload)["image"])


@each
def test_whatever_stays_is_asked_how_it_is(workload: Object) -> None:
    if workload["kind"] == "Job":
        return
    mine = container(workload)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert mine[probe]["periodSeconds"] > 0
    patience = mine["startupProbe"]["periodSeconds"] * mine["startupProbe"]["failureThreshold"]
    assert patience >= 120


@each_of_ours
def test_ready_and_alive_are_asked_where_the_service_answers(overlay: str, name: str) -> None:
    mine = container(service_of(overlay, name))
    prefix = "/api/health" if name == "query-api" else "/health"
    for probe, path in (("startup", "ready"), ("readiness", "ready"), ("liveness", "live")):
        assert mine[f"{probe}Probe"]["httpGet"] == {"path": f"{prefix}/{path}", "port": "http"}
    (port,) = mine["ports"]
    assert port["containerPort"] == PROCESSES[name].model_fields["port"].default
    (exposed,) = named(render(overlay, "."), "Service", name)["spec"]["ports"]
    assert exposed["port"] == port["containerPort"]


@each_of_ours
def test_who_stops_has_the_time_for_the_longest_transaction(overlay: str, name: str) -> None:
    workload = service_of(overlay, name)
    before = container(workload).get("lifecycle", {}).get("preStop", {}).get("sleep", {})
    left = pod(workload)["terminationGracePeriodSeconds"] - before.get("seconds", 0)
    assert left > LONGEST_STATEMENT_SECONDS + 5
    if name in {"ingest-zammad", "query-api"}:
        assert before["seconds"] >= 5


@each_of_ours
def test_a_drained_node_takes_one_of_a_kind_and_they_stand_apart(overlay: str, name: str) -> None:
    objects, workload = render(overlay, "."), service_of(overlay, name)
    labels = workload["spec"]["template"]["metadata"]["labels"]
    budget = named(objects, "PodDisruptionBudget", name)["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    spread = pod(workload)["topologySpreadConstraints"]
    assert {one["topologyKey"] for one in spread} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    for one in spread:
        assert one["labelSelector"]["matchLabels"].items() <= labels.items()
    if overlay == "production":
        assert spread[0]["whenUnsatisfiable"] == "DoNotSchedule"


@both
def test_selectors_select_what_they_are_meant_to(overlay: str) -> None:
    for name in (*PROCESSES, *(("kafka", "postgres") if overlay == "single-node" else ())):
        objects = everything(overlay)
        (workload,) = [found for found in workloads(objects) if found["metadata"]["name"] == name]
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert workload["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert named(objects, "Service", name)["spec"]["selector"].items() <= labels.items()
        assert labels["app.kubernetes.io/part-of"] == "hourbook"


# ------------------------------------------------------------------------------------------- words
@each_of_ours
def test_a_service_is_told_what_it_reads_and_all_it_needs(overlay: str, name: str) -> None:
    variables = told(service_of(overlay, name), render(overlay, "."))
    check_variables(name, PROCESSES[name], set(variables))
    assert variables["HOURBOOK_SECRETS_FOLDER"] == "/run/secrets/hourbook"


@both
@pytest.mark.parametrize("phase", ["pre", "post"])
def test_migrations_run_before_and_after_with_what_they_need(overlay: str, phase: str) -> None:
    objects = render(overlay, f"migrate-{phase}")
    (job,) = of_kind(objects, "Job")
    assert job["metadata"]["name"] == f"hourbook-migrate-{phase}"
    assert container(job)["args"] == ["migrate", "--phase", phase]
    check_variables("migrate", COMMANDS["migrate"], set(told(job, objects)))
    assert job["spec"]["ttlSecondsAfterFinished"] > 0


@each
def test_secrets_are_files_and_read_only(workload: Object) -> None:
    for one in container(workload).get("env", []):
        if re.search("PASSWORD|TOKEN|KEY|DATABASE_URL", one["name"]):
            assert one["name"].endswith("_FILE")
    mounts = {one["name"]: one for one in container(workload)["volumeMounts"]}
    assert [*secret_files(workload)] == [] or mounts["secrets"]["readOnly"] is True


@both
def test_no_secret_is_written_here_and_each_that_is_named_is_known(
    overlay: str, tmp_path: Path
) -> None:
    assert not of_kind(everything(overlay), "Secret")
    run(ROOT / "deploy/compose/draw-secrets", cwd=tmp_path)
    said = run(ROOT / "deploy/k8s/secrets-of", tmp_path / "secrets")
    ours = {secret["metadata"]["name"]: set(secret["data"]) for secret in yaml.safe_load_all(said)}
    theirs = {
        "hourbook-cluster-ca-cert",
        "hourbook-db-ca",
        "hourbook-db-app",
        *PROCESSES,
        "hourbook",
    }
    for workload in workloads(everything(overlay)):
        for name, item in secret_files(workload):
            if overlay == "single-node" or name not in theirs:
                assert item["key"] in ours[name]


def test_each_reconciler_keeps_its_name_over_restarts() -> None:
    for overlay in OVERLAYS:
        workload = service_of(overlay, "reconciler")
        (instance,) = [
            one for one in container(workload)["env"] if one["name"] == "HOURBOOK_INSTANCE"
        ]
        assert instance["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


# ------------------------------------------------------------------------------------- the network
@both
def test_nobody_reaches_a_pod_or_the_world_unless_a_policy_says_so(overlay: str) -> None:
    policies = of_kind(render(overlay, "."), "NetworkPolicy")
    (closed,) = [found for found in policies if found["spec"]["podSelector"] == {}]
    assert closed["spec"]["policyTypes"] == ["Ingress"]
    assert "ingress" not in closed["spec"]
    ours = named(policies, "NetworkPolicy", "ours-nowhere-but-names")["spec"]
    assert ours["policyTypes"] == ["Egress"]
    ports = {port["port"] for rule in ours["egress"] for port in rule["ports"]}
    assert ports == {53}
    for workload in workloads(everything(overlay)):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert ours["podSelector"]["matchLabels"].items() <= labels.items()


def allowed(overlay: str, kind: str, name: str) -> list[Any]:
    """The rules of a direction that hold for the pods of this name."""
    rules = []
    for policy in of_kind(everything(overlay), "NetworkPolicy"):
        for expression in policy["spec"]["podSelector"].get("matchExpressions", []):
            if name in expression["values"]:
                rules += policy["spec"].get(kind, [])
    return rules


@both
def test_who_asks_is_told_by_pods_that_the_policies_let_in_and_by_nobody_else(overlay: str) -> None:
    """query-api believes private networks about X-Forwarded-For: only doors may come from there."""
    trusted = told(service_of(overlay, "query-api"), everything(overlay))[
        "HOURBOOK_TRUSTED_PROXIES"
    ]
    assert all(ip_network(network).is_private for network in trusted.split(",")[:3])
    let_in = [
        {**peer.get("namespaceSelector", peer.get("podSelector"))["matchLabels"]}
        for rule in allowed(overlay, "ingress", "query-api")
        for peer in rule["from"]
    ]
    assert sorted(name for labels in let_in for name in labels.values()) == [
        "ingress-nginx",
        "monitoring",
        "ui",
    ]
    doors = named(render(overlay, "."), "NetworkPolicy", "ui-to-the-services")["spec"]
    assert doors["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "ui"}


@both
def test_only_who_speaks_to_zammad_or_kimai_may_leave_the_cluster(overlay: str) -> None:
    for name in (*PROCESSES, "hourbook"):
        leaves = any(
            "ipBlock" in to for rule in allowed(overlay, "egress", name) for to in rule["to"]
        )
        assert leaves == (name in {"ingest-zammad", "push-kimai", "query-api", "jobs"})
        reached = [
            to["podSelector"]["matchLabels"].get("hourbook.role")
            for rule in allowed(overlay, "egress", name)
            for to in rule["to"]
            if "podSelector" in to
        ]
        assert set(reached) == {"kafka", "postgres"}


# -------------------------------------------------------------------------------------- production
def test_the_topics_are_those_of_the_contracts() -> None:
    found = {
        topic["metadata"]["name"]: (
            topic["spec"]["partitions"],
            topic["spec"]["replicas"],
            {name: str(value).lower() for name, value in topic["spec"]["config"].items()},
        )
        for topic in of_kind(render("production", "data"), "KafkaTopic")
    }
    common = COMMON_SETTINGS | {"min.insync.replicas": "2"}
    assert found == {topic.name: (topic.partitions, 3, common | topic.settings) for topic in TOPICS}


def test_each_service_has_a_user_of_its_own_and_a_password_from_strimzi() -> None:
    users = {
        user["metadata"]["name"]: user
        for user in of_kind(render("production", "data"), "KafkaUser")
    }
    assert users.keys() == {*PROCESSES, "hourbook"}
    for name in PROCESSES:
        workload = service_of("production", name)
        variables = told(workload, render("production", "."))
        assert variables["HOURBOOK_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
        assert variables["HOURBOOK_KAFKA_SASL_USERNAME"] == name
        files = [(secret, item["path"]) for secret, item in secret_files(workload)]
        assert (name, "hourbook_kafka_sasl_password") in files
    for user in users.values():
        for rule in user["spec"]["authorization"]["acls"]:
            assert rule["resource"]["name"].startswith("hourbook")
            assert "All" not in rule["operations"]


def test_what_is_trusted_is_where_the_settings_say() -> None:
    (job,) = of_kind(render("production", "migrate-pre"), "Job")
    for workload, objects in (
        *((service_of("production", name), render("production", ".")) for name in PROCESSES),
        (job, render("production", "migrate-pre")),
    ):
        variables = told(workload, objects)
        folder = variables["HOURBOOK_SECRETS_FOLDER"]
        there = {f"{folder}/{item['path']}" for _, item in secret_files(workload)}
        assert variables["PGSSLMODE"] == "verify-full"
        assert {variables["PGSSLROOTCERT"], variables["HOURBOOK_KAFKA_CA_FILE"]} <= there


def test_only_what_may_be_more_or_less_is_scaled_by_itself() -> None:
    objects = render("production", ".")
    scaled = {
        found["spec"]["scaleTargetRef"]["name"]: found["spec"]
        for found in of_kind(objects, "HorizontalPodAutoscaler")
    }
    assert scaled.keys() == {"ingest-zammad", "query-api"}
    for name in scaled:
        assert "replicas" not in service_of("production", name)["spec"]
    inbox = next(topic for topic in TOPICS if "inbox" in topic.name)
    assert scaled["ingest-zammad"]["maxReplicas"] <= inbox.partitions
    assert service_of("production", "reconciler")["spec"]["replicas"] == 3
    assert service_of("production", "push-kimai")["spec"]["replicas"] == 2


def test_what_is_for_ever_is_not_pruned_by_a_deleted_line() -> None:
    kept = of_kind(render("production", "data"), "Kafka", "KafkaTopic", "Cluster")
    assert len(kept) == 2 + len(TOPICS)
    for found in kept:
        assert found["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
    (nodes,) = of_kind(render("production", "data"), "KafkaNodePool")
    assert [disk["deleteClaim"] for disk in nodes["spec"]["storage"]["volumes"]] == [False]


def test_the_database_is_backed_up_and_its_log_is_kept() -> None:
    data = render("production", "data")
    (cluster,) = of_kind(data, "Cluster")
    (plugin,) = cluster["spec"]["plugins"]
    (store,) = of_kind(data, "ObjectStore")
    (schedule,) = of_kind(data, "ScheduledBackup")
    assert plugin["isWALArchiver"] is True
    assert plugin["parameters"]["barmanObjectName"] == store["metadata"]["name"]
    assert schedule["spec"]["cluster"]["name"] == cluster["metadata"]["name"]
    assert schedule["spec"]["pluginConfiguration"]["name"] == plugin["name"]
    assert cluster["spec"]["instances"] >= 3


def test_a_webhook_is_taken_by_the_ingress_as_long_as_the_service_takes_it() -> None:
    (ingress,) = of_kind(render("production", "."), "Ingress")
    limit = PROCESSES["ingest-zammad"].model_fields["webhook_limit_bytes"].default
    size = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert size == f"{limit // 1024 // 1024}m"
    (rule,) = ingress["spec"]["rules"]
    backends = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
    assert backends == {"/api/webhook": "ingest-zammad", "/api": "query-api", "/": "ui"}
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]
