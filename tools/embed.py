#!/usr/bin/env python3
"""embed.py -- files of web/ as one C file, each under an address that names a hash of its content.

    embed.py --out FILE NAME=PATH …     what src/serve/assets.h declares
"""

import argparse
import hashlib
import pathlib
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def path_of(name, content):
    stem, dot, ending = name.rpartition(".")
    return f"/assets/{stem}-{hashlib.sha256(content).hexdigest()[:12]}{dot}{ending}"


def c_bytes(content):
    rows = (content[i:i + 24] for i in range(0, len(content), 24))
    return "\n".join("\t" + " ".join(f"{byte}," for byte in row) for row in rows) or "\t0"


def c_file(files):
    out = ["/* Made from web/ by tools/embed.py; whatever is changed here is lost. */", '#include "serve/assets.h"', ""]
    for n, (_, content) in enumerate(files):
        out += [f"static const unsigned char bytes_{n}[] = {{", c_bytes(content), "};", ""]
    out += ["const struct asset assets[] = {"]
    for n, (name, content) in enumerate(files):
        kind = TYPES[pathlib.PurePath(name).suffix]
        out += [f'\t{{ "{name}", "{path_of(name, content)}", "{kind}", bytes_{n}, {len(content)} }},']
    out += ["};", f"const size_t asset_count = {len(files)};", ""]
    return "\n".join(out)


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--out", type=pathlib.Path, required=True)
    words.add_argument("files", nargs="+", metavar="NAME=PATH")
    args = words.parse_args()
    files = sorted((name, pathlib.Path(path).read_bytes()) for name, _, path in (f.partition("=") for f in args.files))
    args.out.write_text(c_file(files), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
