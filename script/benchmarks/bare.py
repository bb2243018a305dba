"""What a person would write to send a list of requests, and nothing more."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from devenv.settings import SCRIPTS

from .store import API, KEY, SECRET


def seconds(store, connections, calls):
    """Send prepared requests from a process of its own.

    :param calls: ``(method, path, body)`` for each request
    :return: how long it took
    """
    work = json.dumps({"url": store.url + API, "connections": connections, "calls": calls})
    command = [sys.executable, "-m", "benchmarks.bare"]
    done = subprocess.run(
        command, input=work, stdout=subprocess.PIPE, text=True, check=True, cwd=SCRIPTS
    )
    return float(done.stdout)


def _send_all(url, connections, calls):
    session = requests.Session()
    session.auth = (KEY, SECRET)
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=connections))

    def send(call):
        method, path, body = call
        response = session.request(method, f"{url}/{path}", json=body, timeout=60)
        response.raise_for_status()
        return response.json()

    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(send, calls))
    return time.perf_counter() - started


if __name__ == "__main__":
    print(_send_all(**json.load(sys.stdin)))
