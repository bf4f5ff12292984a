"""A graceful reload of each server, for a new certificate, with requests under way: how many get no answer."""

import re
import secrets
import threading
import time

import pytest

from support.held import count_waiting, held
from support.load import Count, Uploads, steady
from support.processes import wait_until
from support.servers import WAYS
from support.steps import head_of

RELOADS = 3
UNDER_WAY_S = 0.3


def reload_with_requests_under_way(server, installation, user, bearer, count):
    """Two that wait in the database, and two whose bodies are half sent."""
    def patch(site):
        # another text each time: what changes nothing does not wait for whoever holds the user
        return site.send("PATCH", headers=bearer, body={"bio": secrets.token_hex()})

    with held(installation, user):
        waiting = [threading.Thread(target=count.add, args=(f"waiting PATCH, {site.url[:5]}", patch, site))
                   for site in (server.site(), server.secure_site())]
        for thread in waiting:
            thread.start()
        wait_until(lambda: count_waiting(installation) == len(waiting), 10, "both PATCHes wait")
        uploads = Uploads(server, bearer)
        certificate = server.renew_certificate()
        if server.way.workers is None:
            server.settle()
        server.reload()
        time.sleep(UNDER_WAY_S)
    count.add("half-sent PATCH, http ", uploads.finish_http1)
    count.add("half-sent PATCH, https", uploads.finish_http2)
    for thread in waiting:
        thread.join()
    wait_until(lambda: server.secure_site().certificate() == certificate, 20, "the new certificate is shown")


def test_no_request_is_lost_when_the_server_is_reloaded(server, installation, tokens, users, user, request):
    """Where the example says that one may be, it may; but never one that was under way."""
    bearer, reader = tokens.bearer(user), tokens.bearer(users.add())
    count = Count()
    with steady(count, server.site(), reader):
        for _ in range(RELOADS):
            reload_with_requests_under_way(server, installation, user, bearer, count)
            time.sleep(UNDER_WAY_S)
    figures = (f"{count.sent} sent, {count.answered} answered, {len(count.lost)} lost, "
               f"slowest {count.slowest_s:.1f} s")
    request.node.user_properties.append(("reload", figures))
    lost = [loss for loss in count.lost if not server.may_lose(loss)]
    assert not lost, "\n".join(lost[:40]) + "\n" + server.logs()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_example_says_what_a_reload_does(way):
    head = " ".join(line.lstrip("# ") for line in head_of(way.example))
    if way.reload_may and not way.kernel:
        assert re.search(rf"reload.* {way.reload_may}\b", head)
    else:
        assert re.search(r"To reload \w+; no request is lost", head)
    assert way.kernel is None or f"echo 1 >{way.kernel}" in head
