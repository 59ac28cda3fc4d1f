"""The speed layer as a Structured Streaming job.

Spark reads the topic, a task for each partition and trigger. Each task hands its records to `tidemark speed --fold-stdin` on the
machine that read them, which folds them and commits the ticks; where it begins it knows from the lake alone. So neither
Spark's checkpoint nor how often Spark repeats a task decides what counts.
"""

import json
import os
import struct
import subprocess
import tempfile
import threading
import time

from pyspark.sql import SparkSession

# What the process that submits this job says; not among the arguments, for it holds the key of the lake.
job = json.loads(os.environ.pop("TIDEMARK_SPEED_JOB"))

HEAD = "<QBI"
NO_HEADER = 255
SAID_MAX = 2000


def frame(row):
    """A record as log/kafka/record-frames.ts reads it."""
    header = next((bytes(one.value) for one in row.headers or [] if one.key == job["header"]), None)
    value = bytes(row.value or b"")
    length = NO_HEADER if header is None or len(header) >= NO_HEADER else len(header)
    return struct.pack(HEAD, row.offset, length, len(value)) + (header if length != NO_HEADER else b"") + value


def fold(rows):
    """Folds the records of one partition, in their order; gives what the fold says of it."""
    first = next(rows, None)
    if first is None:
        return
    own = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            [*job["command"], "--fold-stdin", str(first.partition)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={**own, **job["env"]},
        )
        try:
            child.stdin.write(frame(first))
            for row in rows:
                child.stdin.write(frame(row))
            child.stdin.close()
        except BrokenPipeError:
            pass  # It has ended, and says why.
        told = child.stdout.read().decode()
        if child.wait() != 0:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
            raise RuntimeError(f"tidemark: {lines[-1][:SAID_MAX]}")
    yield json.loads(told)


def say(**what):
    """A line for the process that submitted the job."""
    print(json.dumps(what), flush=True)


def fold_batch(batch, number):
    try:
        folded = batch.select("partition", "offset", "value", "headers").rdd.mapPartitions(fold).collect()
    except Exception as error:
        # What Spark makes of it is long, and names the cause in the middle.
        causes = [line for line in str(error).splitlines() if line.startswith("RuntimeError: ")]
        say(failed=causes[-1] if causes else repr(error)[:SAID_MAX])
        raise
    say(batch=number, folded=folded)


def end_with(process):
    """Ends when the process that submitted the job is gone: another has its place then."""
    while True:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(1)


threading.Thread(target=end_with, args=(job["process"],), daemon=True).start()
spark = SparkSession.builder.getOrCreate()
records = (
    spark.readStream.format("kafka")
    .options(**job["kafka"])
    .option("includeHeaders", "true")
    # What was trimmed meanwhile is in the lake; what is in neither, the fold finds out.
    .option("failOnDataLoss", "false")
    .load()
)
query = (
    records.writeStream.foreachBatch(fold_batch)
    .option("checkpointLocation", job["checkpoint"])
    .trigger(processingTime=f"{job['tickMs']} milliseconds")
    .start()
)
say(started=True)
query.awaitTermination()
