#!/usr/bin/env python3
"""Every EWS request of ours against Microsoft's schema, where that lies beside this folder (../shared/schemas/ews).

    ews_schema.py BUILD [SCHEMAS]      "N passed, N failed, N skipped"
"""
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMAS = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT.parent / "shared" / "schemas" / "ews"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
IMPORT = '<xs:import namespace="http://www.w3.org/XML/1998/namespace"'
XML_XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">
<xs:attribute name="lang" type="xs:language"/></xs:schema>"""
# what came with 2010 and later, of all that we might say (facts M C.3); the schema is newer than that server
NOT_IN_2007 = ["IndexedPageFolderView", "SyncScope", "TimeZoneContext", "UniqueBodyType", "SuppressReadReceipts", "QueryString"]


def copied(folder):
    """libxml2 refuses an import that says no place."""
    types = (SCHEMAS / "types.xsd").read_text()
    (folder / "types.xsd").write_text(types.replace(IMPORT, IMPORT + ' schemaLocation="xml.xsd"', 1))
    (folder / "messages.xsd").write_text((SCHEMAS / "messages.xsd").read_text())
    (folder / "xml.xsd").write_text(XML_XSD)


def judged(folder, schema, parts):
    """The numbers of those that are not valid, and what was said."""
    files = []
    for number, part in enumerate(parts):
        files.append(folder / ("%s-%d.xml" % (schema, number)))
        files[-1].write_bytes(ET.tostring(part))
    p = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", folder / (schema + ".xsd"), *files], text=True, capture_output=True)
    return {n for n, f in enumerate(files) if "%s validates" % f not in p.stderr}, p.stderr


def main():
    program = Path(sys.argv[1]) / "tests" / "ews-requests"
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    names, envelopes = zip(*(line.split("\t", 1) for line in lines))
    envelopes = [ET.fromstring(e) for e in envelopes]
    failed = 0
    for name, envelope in zip(names, envelopes):
        used = {e.tag.split("}")[1] for e in envelope.iter()}
        if "2007" in name and used & set(NOT_IN_2007):
            failed += 1
            print("FAILED %s: has %s" % (name, used & set(NOT_IN_2007)))
    if not (SCHEMAS / "messages.xsd").exists():
        print("skipped: there are no schemas in %s" % SCHEMAS)
        print("%d passed, %d failed, %d skipped" % (len(names) - failed, failed, len(names)))
        return failed > 0

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        copied(folder)
        bad, said = judged(folder, "messages", [e.find(SOAP + "Body")[0] for e in envelopes])
        headers = [part for e in envelopes for part in e.find(SOAP + "Header")]
        bad_headers, said_headers = judged(folder, "types", headers)
        # a schema that takes everything would prove nothing
        wrong = ET.fromstring(ET.tostring(envelopes[0].find(SOAP + "Body")[0]))
        wrong[:] = reversed(wrong)
        takes_all = not judged(folder, "messages", [wrong])[0]
    for number in bad:
        print("FAILED %s" % names[number])
    if bad or bad_headers:
        print(said, said_headers)
    if takes_all:
        print("FAILED the schema takes elements in the wrong order")
    failed += len(bad) + len(bad_headers) + takes_all
    print("%d passed, %d failed" % (len(names) + len(headers) + 1 - failed, failed))
    return failed > 0


sys.exit(main())
