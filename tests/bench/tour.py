"""What `mailmoor demo` costs: from its start to a page that can be used, and the memory of it with every mailbox verified."""
import os
import statistics
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flows"))
import demo

STARTS = 5
START_S, MEMORY_MIB = 2, demo.MEMORY_MIB


class Place:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.demo = demo.Demo(binary, folder)

    patiently = demo.Place.patiently


def measure(table, binary):
    with tempfile.TemporaryDirectory(prefix="mailmoor-") as folder:
        starts = []
        for _ in range(STARTS):
            place = Place(binary, folder)
            starts.append(place.demo.tour_seconds)
            if len(starts) < STARTS:
                place.demo.stop()
        took = statistics.median(starts)
        table.row("start to a page that can be used", "%.2f s" % took, "under %d s" % START_S, took < START_S)
        try:
            demo.settled(place)
            most = place.demo.memory_mib()
            table.row("memory at its most, all mailboxes verified", "%.0f MiB" % most, "under %d MiB" % MEMORY_MIB, most < MEMORY_MIB)
        finally:
            place.demo.stop()
