"""What was found to be a secret is shown nowhere, whatever else is said about its line."""

from archc.backends.cli.explaining import entries
from archc.backends.cli.junit import to_junit
from archc.backends.cli.render import Style, render
from archc.backends.cli.reports import to_json
from archc.backends.cli.sarif import Tool, to_sarif
from archc.backends.cli.terminal import Paint
from archc.compiler.pipeline import compile_source

# Not the one of the rule's own page.
SECRET = "h4Kd9Wq2Zx7Vb3Nm"
SOURCE = f'''system x
service a {{ image "a"; env API_TOKEN "a \\"{SECRET}" }}
service b {{
  build "./b"
  doc """the password
    token={SECRET}
  """
  kubernetes {{ patch Deployment "{{apiToken: {SECRET}}}" }}
}}
service c {{ build "./b"; health command=["c" "--token={SECRET}"] }}
external bank {{ url "http://orders:{SECRET}@bank.example.com" }}
'''


def test_no_report_shows_it() -> None:
    compilation = compile_source({"x.arch": SOURCE})
    codes = [diagnostic.code for diagnostic in compilation.diagnostics]
    assert codes.count("A1505") == 5
    assert {"A506", "A701", "A301", "A1504"} <= set(codes)
    text = render(compilation.diagnostics, compilation.sources, Style(Paint(False)))
    assert 'env API_TOKEN "* *"***' in text
    assert SECRET not in text
    assert SECRET not in to_json(compilation.diagnostics, str)
    assert SECRET not in to_sarif(compilation.diagnostics, compilation.sources, Tool("1", "", entries()), str)
    assert SECRET not in to_junit(compilation.diagnostics, entries(), compilation.rules, str)
