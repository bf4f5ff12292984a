"""The examples for Prometheus and Grafana: they are what those take, and name nothing that the program does not count."""

import json
import re
import subprocess

import pytest
import yaml

from support.paths import SOURCE
from support.watch import ask

EXAMPLES = SOURCE / "cgi-bin" / "examples"
ALERTS, DASHBOARD, SCRAPING = (EXAMPLES / name for name in ("me-alerts.yml", "me-dashboard.json", "me-prometheus.yml"))
LINE_MAX = 120


def promtool(*words):
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def counted(start_worker, tmp_path) -> dict:
    """By name, the labels of each metric that a worker tells, and their values."""
    worker = start_worker(ME_WATCH_METRICS_PATH="/metrics", ME_WATCH_METRICS_FOR="anyone",
                          ME_WATCH_METRICS_FILE=str(tmp_path / "metrics"))
    found = {}
    for line in ask(worker, "/metrics").body.decode().splitlines():
        if line.startswith("# HELP"):
            continue
        name, labels = re.match(r"(?:# TYPE )?(\w+)(?:\{(.*)\})?", line).groups()
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels or ""):
            found.setdefault(name, {}).setdefault(label, set()).add(value)
        found.setdefault(name, {})
    return found


def rules() -> list:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def expressions() -> dict:
    """All that is asked of Prometheus, by what it is for."""
    asked = {f"rule {rule.get('alert') or rule['record']}": rule["expr"] for rule in rules()}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            asked[f"panel {panel['title']} {target['refId']}"] = target["expr"]
    return asked


def test_each_metric_and_label_is_counted(counted):
    of_prometheus = {"up": {"job": {"me"}}}
    own = {rule["record"]: {} for rule in rules() if "record" in rule}
    known, named = {**counted, **of_prometheus, **own}, set()
    for purpose, text in expressions().items():
        for name, selector in re.findall(r"\b(me[_:][\w:]+|up)(?:\{([^}]*)\})?", text):
            assert name in known, f"{purpose}: {name}"
            named.add(name)
            for label, operator, value in re.findall(r'(\w+)\s*(=~|!~|!=|=)"([^"]*)"', selector):
                if label == "job":
                    continue
                pattern = value if "~" in operator else re.escape(value)
                assert any(re.fullmatch(pattern, there) for there in known[name][label]), f"{purpose}: {label}={value}"
                for one in value.split("|") if re.fullmatch(r"[\w|]+", value) else ():
                    assert one in known[name][label], f"{purpose}: {label}={one}"
    histogram = {f"me_request_duration_seconds{end}" for end in ("", "_count", "_sum")}
    assert {name for name in counted if name.startswith("me_")} - histogram <= named, "something nobody looks at"


def test_the_rules_are_rules():
    status, said = promtool("check", "rules", ALERTS)
    assert status == 0 and f"SUCCESS: {len(rules())} rules found" in said, said


def test_the_panels_ask_what_can_be_answered(tmp_path):
    """Each expression as a rule of its own, with what Grafana puts in."""
    asked = [text.replace("$__rate_interval", "5m").replace("$job", "me") for text in expressions().values()]
    asked_rules = [{"record": f"asked:{number}", "expr": text} for number, text in enumerate(asked)]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": asked_rules}]}))
    status, said = promtool("check", "rules", file)
    assert status == 0 and f"SUCCESS: {len(asked)} rules found" in said, said


def test_the_dashboard_is_whole():
    board = json.loads(DASHBOARD.read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    taken = {(x, y) for panel in panels for place in [panel["gridPos"]]
             for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
    assert len(taken) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels), "panels overlap"
    assert max(x for x, _ in taken) < 24
    variables = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text())) - {"__rate_interval"}
    assert used == variables


def test_the_scraping_is_a_configuration(tmp_path):
    for file in (SCRAPING, ALERTS):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "metrics.secret").write_text("x" * 64)
    status, said = promtool("check", "config", tmp_path / SCRAPING.name)
    assert status == 0, said


@pytest.mark.parametrize("file", [ALERTS, SCRAPING], ids=lambda file: file.name)
def test_the_lines_can_be_read(file):
    assert [line for line in file.read_text().splitlines() if len(line) > LINE_MAX] == []


# ---- what the rules say of a service that is well, and of one that is not

WELL = {
    'up{job="me",instance="a"}': "1+0x60",
    'me_workers{job="me",instance="a"}': "4+0x60",
    'me_requests_total{job="me",instance="a",status="200"}': "0+6000x60",
    'me_requests_total{job="me",instance="a",status="500"}': "0+0x60",
    'me_request_duration_seconds_bucket{job="me",instance="a",method="GET",le="0.001"}': "0+6000x60",
    'me_request_duration_seconds_bucket{job="me",instance="a",method="GET",le="1"}': "0+6000x60",
    'me_request_duration_seconds_bucket{job="me",instance="a",method="GET",le="+Inf"}': "0+6000x60",
    'me_database_failures_total{job="me",instance="a",result="lost"}': "0+0x60",
    'me_database_seconds_total{job="me",instance="a"}': "0+20x60",
    'me_key_file_failures_total{job="me",instance="a"}': "0+0x60",
    'me_refusals_total{job="me",instance="a",reason="no_key"}': "0+1x60",
    'me_keys_changed_timestamp_seconds{job="me",instance="a"}': "0+0x60",
}
ILL = {
    "MeDown": {'up{job="me",instance="a"}': "1x10 0x50"},
    "MeNoWorkers": {'me_workers{job="me",instance="a"}': "4x10 0x50"},
    "MeFails": {'me_requests_total{job="me",instance="a",status="500"}': "0+100x60"},
    "MeSlow": {'me_request_duration_seconds_bucket{job="me",instance="a",method="GET",le="0.001"}': "0+5000x60"},
    "MeDatabaseFails": {'me_database_failures_total{job="me",instance="a",result="lost"}': "0+10x60"},
    "MeDatabaseIsBusy": {'me_database_seconds_total{job="me",instance="a"}': "0+200x60"},
    "MeKeyFileUnusable": {'me_key_file_failures_total{job="me",instance="a"}': "0x25 1x35"},
    "MeUnknownKey": {'me_refusals_total{job="me",instance="a",reason="no_key"}': "0+100x60"},
    "MeKeysOld": {'me_keys_changed_timestamp_seconds{job="me",instance="a"}': "-20000000+0x100"},
}


def test_every_alert_is_tried():
    assert set(ILL) == {rule["alert"] for rule in rules() if "alert" in rule}


def fires(alert, series, at, tmp_path) -> bool:
    """Whether, which promtool tells by what it finds where nothing was expected."""
    test = {
        "rule_files": [str(ALERTS)], "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": [{"series": name, "values": values} for name, values in series.items()],
                   "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}]}],
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump(test))
    status, said = promtool("test", "rules", file)
    assert status == 0 or "got:[" in said.replace(" ", "").replace("\n", ""), said
    return status != 0


@pytest.mark.parametrize("alert", ILL)
def test_an_alert_fires_where_it_should_and_not_else(alert, tmp_path):
    at = "30m" if alert != "MeKeysOld" else "90m"
    well = {name: values.replace("x60", "x100") for name, values in WELL.items()}
    assert not fires(alert, well, at, tmp_path)
    assert fires(alert, {**well, **ILL[alert]}, at, tmp_path)
