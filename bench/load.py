"""A load client of threads: each keeps one connection and asks for one path again and again."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

#: What a browser says that it can read.
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd", "Accept": "text/html"}


@dataclass(frozen=True)
class Load:
    """What came of one load."""

    requests: int
    seconds: float
    #: Milliseconds.
    median: float
    p95: float
    bad: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def drive(
    address: str,
    paths: Sequence[str],
    *,
    requests: int,
    threads: int = 4,
    headers: Mapping[str, str] = BROWSER,
) -> Load:
    """Ask for `paths`, one after the other and again, `requests` times in all. An answer other than 200 is bad."""
    host = urlsplit(address).netloc
    times: list[list[float]] = [[] for _ in range(threads)]
    bad = [0] * threads

    def run(number: int) -> None:
        connection = http.client.HTTPConnection(host, timeout=30)
        for index in range(number, requests, threads):
            begun = time.perf_counter()
            connection.request("GET", paths[index % len(paths)], headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            times[number].append(time.perf_counter() - begun)
            bad[number] += answer.status != 200
        connection.close()

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - begun
    all_times = sorted(value * 1000 for values in times for value in values)
    return Load(
        requests=len(all_times),
        seconds=seconds,
        median=statistics.median(all_times),
        p95=all_times[int(len(all_times) * 0.95)],
        bad=sum(bad),
    )
