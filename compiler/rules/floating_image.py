"""An image is named in a way that may mean another one tomorrow.

## What it finds

An element's own `image` without a tag, with the tag `latest`, or with one that has no number in it, such as
`alpine` or `stable`. Under the production profile also one with a tag and without a digest, as the milder
case: a tag can be moved.

## Why it is bad

What was tested is not what runs. Two instances started on different days may run different programs, a
rollback gets the new one again, and whoever can push to the registry can change what runs in production.

## Example

    service stock { image "shop/stock"; port 9000; health /healthz }

## Instead

The tag for people to read, the digest to say which image is meant:

    service stock {
      image "shop/stock:1.4.2@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
      port 9000
      health /healthz
    }

## Source

CIS Docker Benchmark, 4 (container images and build files); checkov CKV_K8S_14 (image tag) and CKV_K8S_43
(image digest).
"""

import re
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each image that is not pinned."""
    must_have_digest = system.environment.profile == "production"
    for element in system.all(model.Runnable):
        image = element.image
        if not image or "@" in image:
            continue
        tag = _tag(image)
        if is_floating(tag):
            why = f"`{tag}` is what was pushed last" if tag else "without a tag it is what was pushed last"
        elif must_have_digest:
            why = f"the tag `{tag}` can be moved to another image"
        else:
            continue
        yield Finding(
            element.id,
            element.place("image"),
            f"image `{image}` of `{element.id}` is not pinned",
            detail=why,
            hint=f"write its digest after it: `{image}@sha256:…`"
            if tag and not is_floating(tag)
            else "name a version, and its digest after it: `:1.2.3@sha256:…`",
            is_minor=not is_floating(tag),
        )


def is_floating(tag: str) -> bool:
    """Whether a tag names no version: there is none, it is `latest`, or it has no number in it."""
    return re.search(r"\d", tag) is None


def _tag(image: str) -> str:
    return image.rpartition("/")[2].partition(":")[2]
