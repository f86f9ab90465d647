"""docker-compose.yml keeps what it promises, without an engine to ask."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.tests.known import COMMANDS, PROCESSES, ROOT, SERVICES, check_variables, run, tool

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICE: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = {"kafka", "postgres"}
ONE_SHOT = {name for name, service in SERVICE.items() if service["restart"] == "no"}
each = pytest.mark.parametrize("name", SERVICE)


def told(service: dict[str, Any]) -> set[str]:
    """Variables that it gets, from the environment and as files."""
    files = {secret["target"].upper() for secret in service.get("secrets", [])}
    return set(service.get("environment", {})) | files


def stages() -> dict[str, str]:
    """The Dockerfile's stages by name."""
    text = (ROOT / "Dockerfile").read_text()
    parts = re.split(r"^FROM \S+ AS (\S+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_compose_reads_the_file_as_its_schema_wants_it() -> None:
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


@each
def test_nothing_runs_as_root_or_writes_into_its_image(name: str) -> None:
    service = SERVICE[name]
    user, _, group = str(service["user"]).partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


@each
def test_nothing_takes_more_than_its_share_or_fills_the_disk_with_logs(name: str) -> None:
    limits = SERVICE[name]["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) > 0
    assert re.fullmatch(r"\d+[mg]", limits["memory"])
    assert SERVICE[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@each
def test_what_stays_up_says_how_it_is_and_comes_back(name: str) -> None:
    service = SERVICE[name]
    if name in ONE_SHOT:
        assert service["command"][0] in {"migrate", "rebuild", "demo"}
        return
    assert service["restart"] == "unless-stopped"
    if name in stages():
        check = re.search(r"^  CMD (\[.*\])$", stages()[name], re.MULTILINE)
        assert check, f"the image {name} has no health check"
        words = yaml.safe_load(check[1])
        port = SERVICES[name].model_fields["port"].default if name in SERVICES else 8080
        assert f":{port}/" in words[-1]
    else:
        words = service["healthcheck"]["test"][1:]
    assert words[0] != "sh"


@each
def test_what_stops_has_the_time_to_say_goodbye(name: str) -> None:
    seconds = int(SERVICE[name]["stop_grace_period"].removesuffix("s"))
    assert seconds >= (60 if name in SERVERS else 30)


@pytest.mark.parametrize(("name", "settings"), (PROCESSES | COMMANDS).items())
def test_each_process_is_told_what_it_reads_and_all_it_needs(name: str, settings: Any) -> None:
    check_variables(name, settings, told(SERVICE[name]))


def test_the_pages_door_is_told_where_everybody_is() -> None:
    asked = set(re.findall(r"\$\{(\w+)\}", (ROOT / "services/ui/nginx.conf").read_text()))
    assert SERVICE["ui"]["environment"].keys() == asked


def test_services_start_when_the_database_is_ready_for_them() -> None:
    for name in PROCESSES:
        assert SERVICE[name]["depends_on"]["migrate"] == {
            "condition": "service_completed_successfully"
        }
    for name in SERVERS:
        assert SERVICE["migrate"]["depends_on"][name] == {"condition": "service_healthy"}
    for name in PROCESSES:
        assert SERVICE["migrate-post"]["depends_on"][name] == {"condition": "service_healthy"}


def test_kafka_and_postgres_are_reached_from_inside_only() -> None:
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in SERVERS:
        assert SERVICE[name]["networks"] == ["inside"]
        assert "ports" not in SERVICE[name]


def test_one_port_is_published_and_to_this_machine_only() -> None:
    published = {
        name: service["ports"]
        for name, service in SERVICE.items()
        if "ports" in service and "demo" not in service.get("profiles", [])
    }
    assert published == {"ui": ["127.0.0.1:${HOURBOOK_UI_PORT:-8080}:8080"]}
    for service in SERVICE.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


def test_the_door_and_whoever_stands_before_it_are_believed_about_who_asks() -> None:
    """A client of theirs would look like every other one: limited together, noted as one."""
    (pool,) = COMPOSE["networks"]["outside"]["ipam"]["config"]
    trusted = SERVICE["query-api"]["environment"]["HOURBOOK_TRUSTED_PROXIES"]
    assert trusted == f"{pool['subnet']},${{HOURBOOK_TRUSTED_PROXIES:-}}"
    network = re.fullmatch(r"\$\{HOURBOOK_NETWORK:-(.+)\}", pool["subnet"])
    assert network
    assert ip_network(network[1]).is_private
    assert SERVICE["ui"]["networks"] == ["outside"]


def test_no_secret_stands_in_the_file_and_each_goes_only_to_whom_it_is_for() -> None:
    for secret in COMPOSE["secrets"].values():
        assert secret.keys() == {"file"}
    for name, service in SERVICE.items():
        for variable, value in service.get("environment", {}).items():
            secretive = re.search("PASSWORD|TOKEN|KEY|SECRET|DATABASE_URL", variable)
            assert not secretive or variable.endswith(("_FILE", "_FOLDER")), (
                f"{name}: {variable}={value}"
            )
    holders = {
        name: {secret["source"] for secret in SERVICE[name].get("secrets", [])}
        for name in PROCESSES
    }
    assert holders.pop("jobs") == {"owner_database_url", "vault_key"}
    for name, role in zip(holders, ("ingest", "reconciler", "push", "query"), strict=True):
        assert holders[name] == {f"{role}_database_url", "vault_key"}


@each
def test_an_image_is_ours_or_of_an_exact_version(name: str) -> None:
    image = SERVICE[name]["image"]
    ours = image.startswith("${HOURBOOK_IMAGES:-hourbook}/")
    assert ours or re.fullmatch(r"(apache/kafka:\d+\.\d+\.\d+|postgres:\d+)", image)


def test_the_secrets_are_drawn_once_and_all_of_them(tmp_path: Path) -> None:
    draw = ROOT / "deploy/compose/draw-secrets"
    run(draw, cwd=tmp_path)
    folder = tmp_path / "secrets"
    first = {file.name: file.read_text() for file in folder.iterdir()}
    name = (tmp_path / ".env").read_text()
    run(draw, cwd=tmp_path)
    assert {file.name: file.read_text() for file in folder.iterdir()} == first
    assert (tmp_path / ".env").read_text() == name
    assert re.fullmatch(r"HOURBOOK_KAFKA_CLUSTER_ID=[A-Za-z0-9]{22}\n", name)
    wanted = {secret["file"].rsplit("/", 1)[-1] for secret in COMPOSE["secrets"].values()}
    assert first.keys() == wanted | {"kafka_cluster_id"}
    assert folder.stat().st_mode & 0o077 == 0
    assert len(set(first.values())) == len(first)
