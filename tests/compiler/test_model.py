"""The model that is built without pydantic's validators is what they would have built."""

from pathlib import Path

import pytest

from archc.compiler.kinds import BY_NAME
from archc.compiler.model import CLASSES, System
from archc.compiler.pipeline import compile_source
from tests.systems import synthetic

EXAMPLES = Path(__file__).parents[2] / "examples"
TEXTS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted(EXAMPLES.glob("*/*.arch"))
    if path.stem == path.parent.name
} | {"synthetic": synthetic(12)}


@pytest.mark.parametrize("name", TEXTS)
def test_every_element_passes_its_own_validation(name: str) -> None:
    system = compile_source({f"{name}.arch": TEXTS[name]}).system
    assert system is not None
    for element in system.elements.values():
        assert type(element).model_validate(element.model_dump()) == element
    outside = system.model_dump(exclude={"elements"})
    assert System.model_validate(outside).environment == system.environment


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_the_schema_and_the_model_name_the_same_fields(kind: str) -> None:
    fields = set(CLASSES[kind].model_fields)
    schema = BY_NAME[kind]
    named = {keyword.field for keyword in schema.block} | {
        parameter.field for parameter in schema.header_keyword.parameters
    }
    if schema.entry is not None:
        named.add(schema.entry.field)
    own = {"span", "id", "name", "domain", "declared_kind", "places"}
    assert named <= fields
    assert fields - named - own <= {"title", "on", "storage_bytes", "engine", "rest", "rpc", "timer", "needs"}
