"""Appends through pyeventsourcing's own recorder, and prints the rate; run by the rival's interpreter.

Neither Rapport nor anything it depends on may be imported here.
"""

import json
import os
import threading
import time
from urllib.parse import urlsplit
from uuid import uuid4

from eventsourcing.persistence import StoredEvent  # type: ignore[import-not-found]  # in another environment
from eventsourcing.postgres import (  # type: ignore[import-not-found]
    PostgresApplicationRecorder,
    PostgresDatastore,
)

BODY = json.dumps(
    {
        "about": [],
        "by": "r-1",
        "channel": "phone",
        "contact_id": "contact-1",
        "direction": "unknown",
        "evidence": "asserted",
        "evidence_ref": None,
        "note": "Would rather lead a small team than earn more; call again after the holidays.",
        "purpose": "talk",
    }
).encode()


def main() -> None:
    """Append one event at a time from as many threads as there are callers."""
    callers, share = int(os.environ["BENCH_CALLERS"]), int(os.environ["BENCH_SHARE"])
    url = urlsplit(os.environ["BENCH_URL"])
    datastore = PostgresDatastore(
        dbname=url.path[1:],
        host=url.hostname or "",
        port=url.port or 5432,
        user=url.username or "",
        password=url.password or "",
        pool_size=callers,
    )
    recorder = PostgresApplicationRecorder(datastore)
    recorder.create_table()

    def append(times: int) -> None:
        stream = uuid4()
        for version in range(1, times + 1):
            event = StoredEvent(
                originator_id=stream, originator_version=version, topic="bench:ContactMade", state=BODY
            )
            recorder.insert_events([event])

    def all_of(times: int) -> float:
        threads = [threading.Thread(target=append, args=(times,)) for _ in range(callers)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return callers * times / (time.perf_counter() - began)

    all_of(5)
    print(json.dumps({"rate": all_of(share)}))
    datastore.close()


main()
