"""What services are told about the system around them, where elements bring their own images."""

from archc.backends.settings import settings
from archc.compiler.pipeline import compile_source

SYSTEM = """
system mail {
  broker queue { engine rabbitmq 3.8; image "rabbitmq:3.8-alpine"; port 5672; health tcp }
  domain post {
    event Sent { id uuid }
    topic sent { carries [Sent] }
    service outbox { calls sorter.Sort; publishes sent }
    service sorter { image "sorter:1"; port 5000 inside=9000; health grpc; rpc { Sort } }
    worker reader { consumes sent }
  }
}
environment local { platform compose; profile dev }
environment production { platform kubernetes; profile dev }
"""


def told(environment: str, id_: str) -> dict[str, str]:
    """The settings of an element, by name."""
    compilation = compile_source({"mail.arch": SYSTEM}, environment)
    assert compilation.system is not None
    found = settings(compilation.system, compilation.graph, compilation.system[id_])
    assert not any(setting.secret for setting in found)
    return {setting.name: setting.value for setting in found}


def test_a_broker_of_an_image_speaks_its_engines_protocol_and_has_no_password_of_ours() -> None:
    assert told("local", "post.reader") == {"AMQP_URL": "amqp://queue:5672/"}


def test_rpc_is_called_at_the_port_that_answers_on_the_platform() -> None:
    name = "SERVICE_SORTER_GRPC_URL"
    assert told("local", "post.outbox")[name] == "http://sorter:9000"
    assert told("production", "post.outbox")[name] == "http://sorter:5000"
