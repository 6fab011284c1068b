#!/usr/bin/env python3
"""docs/openapi.yaml as JSON in a C file: what the daemon serves as /openapi.json.

    openapi2c.py YAML OUT
"""
import json
import sys
from pathlib import Path

import yaml


def c_lines(text, width=120):
    """The text as string literals of C, a few to the line; nothing in it can end one early or begin an escape or trigraph."""
    for at in range(0, len(text), width):
        piece = text[at:at + width].replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
        yield '\t"%s"' % piece


def main():
    text = json.dumps(yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8")), ensure_ascii=True, separators=(",", ":"))
    lines = ["/* Made by tools/openapi2c.py. */", "extern const char openapi_json[];", "const char openapi_json[] =", *c_lines(text)]
    Path(sys.argv[2]).write_text("\n".join(lines) + ";\n", encoding="ascii")


if __name__ == "__main__":
    main()
