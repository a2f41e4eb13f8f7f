"""The module of clients: one class for each service that is called."""

from typing import Any

from archc.backends import naming
from archc.backends.contracts.operations import Operation, PathParameter
from archc.backends.contracts.proto import Protocol
from archc.backends.services.annotations import class_names, plain
from archc.backends.services.code import Code, Imports, doc, literal, name, render, wrapped
from archc.backends.services.http import PAGES, adapter, seconds
from archc.backends.services.models import HEAD
from archc.backends.services.program import TIMEOUT_MS, CalleeView, Program
from archc.backends.services.protocols import constant, rpc_types
from archc.compiler import model


def module(program: Program) -> str:
    """_gen/clients.py."""
    writer = _Writer(program)
    clients = [writer.client(callee) for callee in program.callees]
    return render(
        "clients.py.j2",
        head=HEAD,
        imports=writer.imports,
        clients=clients,
        adapters=[writer.adapters[key] for key in sorted(writer.adapters)],
    )


class _Writer:
    """Writes the classes, and gathers what they need besides: imports, adapters of what is sent and read."""

    def __init__(self, program: Program) -> None:
        self.classes = class_names(program.shapes)
        self.imports = Imports()
        self.adapters: dict[str, Code] = {}

    def client(self, callee: CalleeView) -> dict[str, Any]:
        """One class."""
        if callee.protocol is not None:
            base, arguments = "GrpcClient", self._grpc_arguments(callee, callee.protocol)
            methods = [self._rpc(callee, callee.protocol, rpc, call) for rpc, call in callee.rpcs]
        else:
            base, arguments = "HttpClient", self._http_arguments(callee)
            methods = [self._operation(callee, operation, call) for operation, call in callee.operations]
        return {
            "name": name(callee.class_name),
            "doc": doc(f"Calls {callee.element.id}."),
            "base": Code(base),
            "init": wrapped("super().__init__(", arguments, ")", 8),
            "methods": methods,
        }

    def _http_arguments(self, callee: CalleeView) -> list[str]:
        self.imports.names(".runtime.http_client", "HttpClient")
        outside = ["inside=False"] if isinstance(callee.element, model.External) else []
        policy = self._policy(callee.general)
        return [literal(callee.element.name), "url", policy, *self._breaker(callee), *outside]

    def _grpc_arguments(self, callee: CalleeView, spoken: Protocol) -> list[str]:
        self.imports.names(".", "proto")
        self.imports.names(".runtime.grpc_client", "GrpcClient")
        schema = f"proto.{constant(spoken)}"
        return [literal(callee.element.name), "url", f"{schema}_SERVICE", schema, *self._breaker(callee)]

    def _policy(self, call: model.Call) -> str:
        self.imports.names(".runtime.http_client", "Policy")
        retries = f", retries={call.retries}" if call.retries else ""
        return f"Policy(timeout_s={seconds(call.timeout_ms or TIMEOUT_MS)}{retries})"

    def _breaker(self, callee: CalleeView) -> list[str]:
        """The breaker of all calls to one service: the first that a call names."""
        for call in callee.calls:
            if call.breaker is not None:
                self.imports.names(".runtime.http_client", "Breaker")
                return [f"breaker=Breaker({call.breaker.limit}, {seconds(call.breaker.per_ms)})"]
        return []

    def _operation(self, callee: CalleeView, operation: Operation, call: model.Call) -> dict[str, Any]:
        parameters = ["self", *(f"{p.variable}: {self._plain(p.type)}" for p in operation.parameters)]
        key = f"_{callee.attribute}_{operation.name}".upper()
        arguments = [self._policy(call), literal(operation.method), self._path(operation), key]
        if operation.body is not None:
            parameters.append(f"body: {self._plain(operation.body)}")
            self._add_adapter(f"{key}_BODY", self._plain(operation.body), self._plain(operation.body))
            arguments.append(f"body={key}_BODY.dump_json(body, by_alias=True)")
        if operation.page:
            request = PAGES[operation.page][1]
            self.imports.names(".runtime.pages", request)
            parameters.append(f"page: {request}")
            arguments.append("params=self.query(page)")
        if operation.takes_key:
            parameters.append("idempotency_key: str")
            arguments.append('headers={"idempotency-key": idempotency_key}')
        if operation.is_repeatable:
            arguments.append("repeatable=True")
        result = self._result(operation)
        form = Code("None") if operation.result is None else adapter(self.classes, operation, self.imports)
        self._add_adapter(key, result, form)
        return self._method(operation.name, operation.record.name, parameters, result, arguments)

    def _rpc(
        self, callee: CalleeView, spoken: Protocol, record: model.RpcOperation, call: model.Call
    ) -> dict[str, Any]:
        rpc = next(rpc for rpc in spoken.rpcs if rpc.record is record)
        taken, given = rpc_types(rpc, self.classes, self.imports)
        parameters = ["self"] if taken == "None" else ["self", f"request: {taken}"]
        key = f"_{callee.attribute}_{naming.snake(record.name)}".upper()
        messages = f"({literal(rpc.request)}, {literal(rpc.response)})"
        request = "None" if taken == "None" else "request"
        self._add_adapter(key, given, given)
        arguments = [self._policy(call), literal(record.name), messages, request, key]
        return self._method(naming.variable(record.name), record.name, parameters, given, arguments)

    def _method(
        self, method: str, about: str, parameters: list[str], result: Code, arguments: list[str]
    ) -> dict[str, Any]:
        if any("models." in part for part in (*parameters, result)):
            self.imports.names(".", "models")
        head = "await self.call(" if result == "None" else "return await self.call("
        return {
            "signature": wrapped(f"async def {name(method)}(", parameters, f") -> {result}:", 4),
            "doc": doc(f"{about}."),
            "body": [wrapped(head, arguments, ")", 8)],
        }

    def _add_adapter(self, key: str, kind: Code, form: Code) -> None:
        self.imports.module("pydantic")
        head = f"{name(key)}: pydantic.TypeAdapter[{kind}] = pydantic.TypeAdapter("
        self.adapters[key] = wrapped(head, [form], ")")

    def _plain(self, data_type: model.DataType | None) -> Code:
        return plain(data_type, self.classes, self.imports)

    def _result(self, operation: Operation) -> Code:
        if operation.page and operation.result is not None:
            page = PAGES[operation.page][0]
            self.imports.names(".runtime.pages", page)
            return Code(f"{page}[{self._plain(operation.result.item)}]")
        return self._plain(operation.result)

    def _path(self, operation: Operation) -> str:
        """The path with its parameters filled in."""
        if not operation.parameters:
            return literal(operation.path)
        self.imports.names(".runtime", "types")
        template = operation.path
        for parameter in operation.parameters:
            template = template.replace(f"{{{parameter.name}}}", "{}", 1)
        return f"types.path({literal(template)}, {', '.join(map(_path_value, operation.parameters))})"


def _path_value(parameter: PathParameter) -> str:
    return f"types.Rest({parameter.variable})" if parameter.is_rest else parameter.variable
