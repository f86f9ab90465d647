"""A real API server takes every step of every overlay, as it would when they are applied.

`make manifests` runs this where KUBECONFIG names one. It is a dry run: nothing is made but the namespace, without
which the server refuses what stands in it.
"""

import pytest

from deploy.tests.known import ROOT, run
from deploy.tests.rendered import OVERLAYS, STEPS, render

pytestmark = pytest.mark.timeout(300)
KUBECTL = ("kubectl", "--request-timeout=60s", "apply", "--server-side", "--output=name")


@pytest.fixture(scope="module", autouse=True)
def namespace() -> None:
    run(*KUBECTL, "--kustomize", ROOT / "deploy/k8s/namespace")


@pytest.mark.parametrize("overlay", ["single-node", "production"])
@pytest.mark.parametrize("step", STEPS)
def test_the_server_takes_it_to_the_letter(overlay: str, step: str) -> None:
    dry = ("--dry-run=server", "--validate=strict", "--kustomize", OVERLAYS / overlay / step)
    assert len(run(*KUBECTL, *dry).splitlines()) == len(render(overlay, step))
