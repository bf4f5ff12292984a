"""What is asked beside the resource: health and metrics. schema/openapi.yaml describes the resource alone."""

import re

from support import answer as answers
from support.cgi import environment_of
from support.fastcgi import PARAMS, STDIN, begin, params, stream

_SAMPLE = re.compile(r'([a-z_:]+)(?:\{(.*)\})? (\S+)')


def ask(worker, path, method="GET", headers=None, **environment):
    """The answer of a FastCGI worker to one request for such a path, not judged."""
    variables = {**environment_of(method, path, headers), **environment}
    variables = {name: value for name, value in variables.items() if value is not None}
    with worker.connect() as connection:
        connection.send(begin() + stream(PARAMS, params(variables)) + stream(STDIN, b""))
        return answers.parse_cgi(connection.receive().stdout)


def samples(text) -> dict:
    """By name and labels as they stand in the text, the values; each comes once."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = _SAMPLE.fullmatch(line).groups()
        key = name + (f"{{{labels}}}" if labels else "")
        assert key not in found, f"{key} comes twice"
        found[key] = float(value)
    return found


def total(found, name, **labels) -> float:
    """The sum of the series of a metric that have these labels."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    return sum(value for key, value in found.items()
               if key.partition("{")[0] == name and all(part in key for part in wanted))
