"""From the start of a service, its web server included, to its first answer to a good token."""

import time

import agreement
from chains import Chain, Missing
from context import WARM_USERS, Run
from processes import is_running

KEYS = ("ours", "off", "go", "nginx-go", "php")
PAUSE_S = 0.0005
START_S = 0.3  # about, with its end


def planned_s(run: Run) -> float:
    return len(KEYS) * run.options.rounds * START_S


def _first_answer_us(chain: Chain, token: str) -> float:
    start = time.monotonic()
    chain.start(wait=False)
    while True:
        try:
            if agreement.ask(chain, token)[0] == 200:
                return (time.monotonic() - start) * 1e6
        except OSError:
            pass
        if time.monotonic() - start > 30 or not all(is_running(process.pid) for process in chain.started):
            raise RuntimeError(f"{chain.name} does not answer: {(chain.folder / 'log').read_text()[-800:]}")
        time.sleep(PAUSE_S)


def _measure_once(run: Run, key: str, token: str):
    chain = run.chain(key)
    try:
        run.results.add("start", key, {"first_answer_us": _first_answer_us(chain, token)})
    finally:
        chain.stop()
    run.progress.advance(START_S)


def measure(run: Run):
    with run.tokens("HS256", WARM_USERS).open() as tokens:
        token = tokens.readline().split()[1]
    for number in range(run.options.rounds):
        for key in KEYS:
            run.progress.tell("start to first answer", f"round {number + 1} of {run.options.rounds}, {key}")
            try:
                _measure_once(run, key, token)
            except Missing as missing:
                if key not in run.results.left_out:
                    run.leave_out(key, str(missing))
