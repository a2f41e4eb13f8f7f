"""A first draft of a service's tables, from the types its database stores."""

from archc.backends import naming
from archc.backends.services.annotations import field_names
from archc.backends.services.code import Code, Imports, doc, literal, name, render, wrapped
from archc.backends.services.program import Program
from archc.compiler import model

_COLUMNS = {
    "uuid": "Uuid",
    "string": "String",
    "int": "BigInteger",
    "decimal": "Numeric",
    "bool": "Boolean",
    "timestamp": "DateTime",
    "date": "Date",
    "duration": "Interval",
    "email": "String",
    "url": "String",
    "bytes": "LargeBinary",
    "json": "JSON",
}
_ARGUMENTS = {"Numeric": "18, 2", "DateTime": "timezone=True"}
# MySQL keeps no key longer than this.
_TEXT_MAX = 500


def module(program: Program) -> str:
    """handlers/tables.py, written once."""
    imports = Imports()
    imports.names("sqlalchemy", "MetaData")
    tables = []
    store = program.database
    database = store.element if store is not None else None
    stored = (*database.stores, *database.copies) if isinstance(database, model.Database) else ()
    names = naming.unique((id_, naming.upper(program.system[id_].name)) for id_ in stored)
    for id_, constant in names.items():
        shape = program.system[id_]
        if isinstance(shape, model.Type):
            imports.names("sqlalchemy", "Table")
            columns = _columns(program, shape, imports)
            table_name = literal(naming.snake(shape.name))
            tables.append({"constant": name(_constant(constant)), "name": table_name, "columns": columns})
    return render("tables.py.j2", imports=imports, element=doc(program.element.name), tables=tables)


def _constant(plain: str) -> str:
    return f"{plain}_TABLE" if plain == "METADATA" else plain


def _columns(program: Program, shape: model.Type, imports: Imports) -> list[Code]:
    attributes = field_names(shape.fields_)
    keys = [field for field in shape.fields_ if field.key]
    columns = []
    for field in shape.fields_:
        kind = _kind(program, field.type)
        imports.names("sqlalchemy", "Column", kind.partition("(")[0])
        arguments = [literal(attributes[field.name]), kind]
        arguments += ["primary_key=True"] if field in keys else []
        arguments += ["nullable=False"] if not field.type.optional and field not in keys else []
        columns.append(wrapped("Column(", arguments, ")", 4))
    return columns


def _kind(program: Program, data_type: model.DataType) -> str:
    """What is no scalar is kept as JSON, enums as their text."""
    if data_type.item is not None:
        return "JSON"
    if not data_type.is_scalar:
        return "String(100)" if isinstance(program.system[data_type.name], model.Enum) else "JSON"
    column = _COLUMNS[data_type.name]
    if column == "String":
        length = max(min(data_type.maximum or _TEXT_MAX, 10_000), 1)
        return f"String({length})"
    return f"{column}({_ARGUMENTS[column]})" if column in _ARGUMENTS else column
