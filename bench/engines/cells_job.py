"""The cells of `service_minute` without sketches as a job of mrjob: a mapper, a sort and a reducer, a JSON object a line."""

from mrjob.job import MRJob
from mrjob.protocol import JSONValueProtocol

GAUGES = ("cpu", "ram", "disk")
# Of "2025-01-01T00:00:00.000Z", what names the minute.
MINUTE = 16


class Cells(MRJob):
    INPUT_PROTOCOL = JSONValueProtocol
    OUTPUT_PROTOCOL = JSONValueProtocol

    def mapper(self, _, message):
        time = message["time_stamp"]
        yield (message["service"], time[:MINUTE]), (time, message["host"], *(message[gauge] for gauge in GAUGES))

    def reducer(self, key, messages):
        service, minute = key
        count = 0
        totals = [0.0] * len(GAUGES)
        # Of equal maxima the earliest counts, then that of the smaller host.
        best = [None] * len(GAUGES)
        least = [None] * len(GAUGES)
        for time, host, *values in messages:
            count += 1
            for i, value in enumerate(values):
                totals[i] += value
                candidate = (-value, time, host)
                if best[i] is None or candidate < best[i]:
                    best[i] = candidate
                if least[i] is None or value < least[i]:
                    least[i] = value
        cell = {"service": service, "time_stamp": minute + ":00.000Z", "msg_num": count}
        for i, gauge in enumerate(GAUGES):
            value, time, host = best[i]
            cell[gauge] = totals[i]
            cell["max_" + gauge] = -value
            cell["max_" + gauge + "_time"] = time
            cell["max_" + gauge + "_host"] = host
            cell["min_" + gauge] = least[i]
        yield None, cell


if __name__ == "__main__":
    Cells.run()
