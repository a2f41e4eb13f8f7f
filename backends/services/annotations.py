"""Types of the language as Python annotations."""

from collections.abc import Mapping

from archc.backends import naming
from archc.backends.contracts.schemas import INT_MAX, INT_MIN, TEXT_MAX, int_limits, text_limits
from archc.backends.contracts.shapes import Shapes
from archc.backends.services.code import Code, Imports, name
from archc.compiler import model

# In models: aliases of runtime/types.py, which say what JSON must look like.
_MODEL_TYPES = {
    "uuid": "types.Uuid",
    "string": "types.Text",
    "int": "types.Int",
    "decimal": "types.Decimal",
    "bool": "bool",
    "timestamp": "types.Timestamp",
    "date": "types.Date",
    "duration": "types.Duration",
    "email": "types.Email",
    "url": "types.Url",
    "bytes": "types.Bytes",
    "json": "types.Json",
}
# In signatures: plain Python, with the module it comes from.
_PLAIN_TYPES = {
    "uuid": ("uuid", "uuid.UUID"),
    "string": ("", "str"),
    "int": ("", "int"),
    "decimal": ("decimal", "decimal.Decimal"),
    "bool": ("", "bool"),
    "timestamp": ("datetime", "datetime.datetime"),
    "date": ("datetime", "datetime.date"),
    "duration": ("datetime", "datetime.timedelta"),
    "email": ("", "str"),
    "url": ("pydantic", "pydantic.AnyUrl"),
    "bytes": ("", "bytes"),
    "json": ("pydantic", "pydantic.JsonValue"),
}
# Attributes that every Pydantic model has, and names that the annotations of a model's fields use.
_FIELDS_TAKEN = frozenset(
    (
        "bool", "int", "str", "types", "pydantic", "mro", "construct", "copy", "dict", "from_orm", "json",
        "parse_file", "parse_obj", "parse_raw", "schema", "schema_json", "update_forward_refs",
        "validate", "model_computed_fields", "model_config", "model_construct", "model_copy",
        "model_dump", "model_dump_json", "model_extra", "model_fields", "model_fields_set",
        "model_json_schema", "model_parametrized_name", "model_post_init", "model_rebuild",
        "model_validate", "model_validate_json", "model_validate_strings",
    )
)  # fmt: skip
# Classes that a module of models has besides; a class of one's own must not hide a builtin either.
_CLASSES_TAKEN = frozenset(
    ("None", "True", "False", "Ellipsis", "NotImplemented", "Exception", "BaseException")
)


def class_names(shapes: Shapes) -> dict[str, Code]:
    """The class of each shape, by id. One that Python would not take, or takes itself, ends in Model."""
    wanted = ((id_, f"{n}Model" if _hides(n) else n) for id_, n in shapes.names.items())
    return {id_: name(class_name) for id_, class_name in naming.unique(wanted).items()}


def _hides(class_name: str) -> bool:
    return class_name in _CLASSES_TAKEN or class_name.endswith(("Error", "Warning", "Exit", "Exception"))


def field_names(fields: tuple[model.Field, ...]) -> dict[str, Code]:
    """The attribute of each field, by its name in the file."""
    wanted = ((field.name, _field_name(field.name)) for field in fields)
    return {written: name(attribute) for written, attribute in naming.unique(wanted).items()}


def _field_name(written: str) -> str:
    plain = naming.snake(written)
    return f"{plain}_" if plain in _FIELDS_TAKEN or naming.is_keyword(plain) else plain


def in_model(data_type: model.DataType, classes: Mapping[str, Code], limited: dict[str, Code]) -> Code:
    """A field's annotation. Aliases of limited texts and numbers that it needs are added to `limited`."""
    if data_type.item is not None:
        found = f"types.Many[{in_model(data_type.item, classes, limited)}]"
    elif not data_type.is_scalar:
        found = classes[data_type.name]
    else:
        found = _limited(data_type, limited) or _MODEL_TYPES[data_type.name]
    return Code(f"{found} | None" if data_type.optional else found)


def _limited(data_type: model.DataType, limited: dict[str, Code]) -> str:
    """The alias of a scalar with limits of its own, "" for one without."""
    if data_type.name == "int" and int_limits(data_type) != (INT_MIN, INT_MAX):
        low, high = int_limits(data_type)
        base, first, last = "int", "ge", "le"
    elif data_type.name in ("string", "bytes") and text_limits(data_type) != (0, TEXT_MAX):
        low, high = text_limits(data_type)
        base, first, last = (
            ("str" if data_type.name == "string" else "pydantic.Base64Bytes"),
            "min_length",
            "max_length",
        )
    else:
        return ""
    alias = f"_{data_type.name.capitalize()}{low}To{high}".replace("-", "Minus")
    limited[alias] = Code(f"Annotated[{base}, pydantic.Field({first}={low}, {last}={high})]")
    return alias


def plain(data_type: model.DataType | None, classes: Mapping[str, Code], imports: Imports) -> Code:
    """A type as signatures have it; what it comes from is added to `imports`."""
    if data_type is None:
        return Code("None")
    if data_type.item is not None:
        found = f"list[{plain(data_type.item, classes, imports)}]"
    elif data_type.is_scalar:
        module, found = _PLAIN_TYPES[data_type.name]
        if module:
            imports.module(module)
    else:
        found = f"models.{classes[data_type.name]}"
    return Code(f"{found} | None" if data_type.optional else found)


def adapted(data_type: model.DataType, classes: Mapping[str, Code]) -> Code:
    """A type as a TypeAdapter takes it: what JSON must look like, with declared types in `models`."""
    if data_type.item is not None:
        found = f"types.Many[{adapted(data_type.item, classes)}]"
    elif data_type.is_scalar:
        found = _MODEL_TYPES[data_type.name]
    else:
        found = f"models.{classes[data_type.name]}"
    return Code(f"{found} | None" if data_type.optional else found)
