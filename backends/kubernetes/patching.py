"""The passthrough: `kubernetes { patch Deployment "…" }` merged into the object of that kind."""

from archc.backends.formats import merge, read_yaml
from archc.backends.kubernetes.controllers import controller_kind
from archc.backends.kubernetes.names import Manifest
from archc.backends.workload import Workload


def patched(workload: Workload, manifests: tuple[Manifest, ...]) -> tuple[Manifest, ...]:
    """A workload's manifests with its patches; one that names no kind is for what runs its pods."""
    result = list(manifests)
    for patch in workload.kubernetes_patches:
        kind = patch.object or controller_kind(workload)
        for index, manifest in enumerate(result):
            if manifest.get("kind") == kind:  # a patch may have taken it away
                result[index] = merge(manifest, read_yaml(patch.yaml))
                break
    return tuple(result)
