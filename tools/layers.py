#!/usr/bin/env python3
"""Checks src/LAYERS: every #include of ours is allowed, and causes are named only where they may be.

    layers.py [SRC]      exit status 1 and one line for each fault
"""
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
CAUSE = re.compile(r'\bCAUSE_(?!NONE\b|COUNT\b)[A-Z_0-9]+')


def read_layers(path):
    layers = {}
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            folder, _, allowed = line.partition(":")
            layers[folder.strip()] = set(allowed.split())
    return layers


def room_of(path, src):
    parts = path.relative_to(src).parts
    return parts[0] if len(parts) > 1 else "flow"


def faults_of(path, src, layers, may_name_causes):
    room = room_of(path, src)
    allowed = layers.get(room)
    if allowed is None:
        yield f"{path}: the folder {room} stands in no line of LAYERS"
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            wanted = include.group(1)
            target = wanted.split("/")[0] if "/" in wanted else "flow"
            if target != room and target not in allowed and wanted not in allowed:
                yield f"{path}:{number}: {room} may not include {wanted}"
        if room not in may_name_causes and CAUSE.search(line):
            yield f"{path}:{number}: {room} may not name a cause ({CAUSE.search(line).group(0)})"


def main():
    src = Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    layers = read_layers(src / "LAYERS")
    may_name_causes = layers.pop("causes")
    files = [p for p in sorted(src.rglob("*")) if p.suffix in (".c", ".h", ".def")]
    faults = [f for p in files for f in faults_of(p, src, layers, may_name_causes)]
    print("\n".join(faults) if faults else f"layers: {len(files)} files, as src/LAYERS allows")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
