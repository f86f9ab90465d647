"""The Kubernetes objects as kustomize renders them."""

import shutil
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from deploy.tests.known import ROOT, run

Object = dict[str, Any]
OVERLAYS = ROOT / "deploy/k8s/overlays"
STEPS = ("data", "migrate-pre", ".", "migrate-post")
"""In the order in which they are applied; `.` are the services."""


@cache
def render(overlay: str, step: str) -> list[Object]:
    """With kubectl, or with kustomize itself."""
    command = ["kubectl", "kustomize"] if shutil.which("kubectl") else ["kustomize", "build"]
    said = run(*command, OVERLAYS / overlay / step)
    return [found for found in yaml.safe_load_all(said) if found]


def everything(overlay: str) -> list[Object]:
    return [found for step in STEPS for found in render(overlay, step)]


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [found for found in objects if found["kind"] in kinds]


def named(objects: list[Object], kind: str, name: str) -> Object:
    (found,) = [one for one in of_kind(objects, kind) if one["metadata"]["name"] == name]
    return found


def workloads(objects: list[Object]) -> list[Object]:
    return of_kind(objects, "Deployment", "StatefulSet", "Job")


def name_of(found: Object) -> str:
    return f"{found['kind']}/{found['metadata']['name']}"


def pod(workload: Object) -> Object:
    spec: Object = workload["spec"]["template"]["spec"]
    return spec


def container(workload: Object) -> Object:
    (only,) = pod(workload)["containers"]
    found: Object = only
    return found


def told(workload: Object, objects: list[Object]) -> dict[str, str]:
    """Variables of a container, with those of its ConfigMaps; a secret file's value is its place."""
    variables: dict[str, str] = {}
    for source in container(workload).get("envFrom", []):
        variables |= named(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
    for one in container(workload).get("env", []):
        variables[one["name"]] = one.get("value", "from elsewhere")
    for _, item in secret_files(workload):
        if item["path"].startswith("hourbook_"):
            variables[item["path"].upper()] = item["path"]
    return variables


def secret_files(workload: Object) -> Iterator[tuple[str, Object]]:
    """Each file of a mounted secret, with the secret's name."""
    for volume in pod(workload).get("volumes", []):
        for source in volume.get("projected", {}).get("sources", []):
            for item in source["secret"]["items"]:
                yield source["secret"]["name"], item
