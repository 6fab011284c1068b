"""Rows of a flow: each a function that is given the place where its servers are, all run one after the other."""
import argparse
import contextlib
import re
import time


class Rows(list):
    """@row above a function makes it one; its name is what is printed."""

    def __call__(self, f):
        f.name = f.__name__.replace("_", " ")
        self.append(f)
        return f

    def run(self, place, only="", after=None):
        """One line for each, and the count at the end. A daemon that a row left dead is started again; `after` is called behind each row."""
        passed = failed = 0
        for r in (r for r in self if re.search(only, r.name)):
            begin = time.monotonic()
            try:
                r(place)
                passed += 1
                print("ok %s (%.1f s)" % (r.name, time.monotonic() - begin), flush=True)
            except Exception as e:
                failed += 1
                said = place.daemon.said().split("\n")[-12:] if place.daemon else []
                print("not ok %s: %s: %s\n%s" % (r.name, type(e).__name__, e, "".join("    %s\n" % line for line in said)), flush=True)
                with contextlib.suppress(Exception):
                    if place.daemon.popen.poll() is not None:
                        place.daemon.start()
            if after:
                with contextlib.suppress(Exception):
                    after(place)
        print("%d passed, %d failed" % (passed, failed))
        return 1 if failed else 0


def arguments(**more):
    """build and --only; `more`: further options by name, as argparse has them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", default="")
    for name, how in more.items():
        parser.add_argument("--" + name, **how)
    return parser.parse_args()
