#!/usr/bin/env python3
"""Prints what failed, a line each, from hookscope's NDJSON on standard input.

    hookscope --format ndjson webhooks.pcap | python3 failures.py events.schema.json
    hookscope live --format ndjson | python3 failures.py events.schema.json

Every line of a type that is known is held against the JSON Schema (docs/events.schema.json): by the package jsonschema
where it is installed, else for the fields that it requires. Exit status: 0 nothing failed, 1 something did, 2 a line is not as it should be.
"""
import json
import sys


def checker(schema):
    """A function that says whether a line is to be read, and raises ValueError for one that the schema does not allow."""
    required = {}
    for line in schema["oneOf"]:
        of_type = schema["$defs"][line["$ref"].rpartition("/")[2]]
        required[line["properties"]["type"]["const"]] = set(line["required"] + of_type["required"])
    try:
        from jsonschema import Draft202012Validator

        is_valid = Draft202012Validator(schema).is_valid
    except ImportError:

        def is_valid(line):
            return required[line["type"]] <= line.keys()

    def check(line):
        kind = line["type"] if isinstance(line, dict) and "type" in line else None
        if not isinstance(kind, str):
            raise ValueError("a line without a type")
        if kind not in required:
            return False  # of a later version
        if not is_valid(line):
            raise ValueError(f"the schema does not allow this line of type {kind}")
        return True

    return check


def main(schema_file):
    with open(schema_file, encoding="utf-8") as file:
        check = checker(json.load(file))
    failed = False
    for number, text in enumerate(sys.stdin, 1):
        try:
            line = json.loads(text)
            if not check(line):
                continue
        except ValueError as error:
            print(f"line {number}: {error}", file=sys.stderr)
            return 2
        if line["type"] == "connection":
            # Live, a line is about one call of the connection, or about the connection as a whole.
            call = line.get("about_call")
            about = [one["verdict"] for one in line["calls"] if one["index"] == call]
            verdict = about[0] if about else line["verdict"]
            who, when = line["server_name"] or line["server"], line.get("at", line["start"])
        elif line["type"] == "lookup":
            verdict, who, when = line["verdict"], line["name"], ""
        else:
            continue  # totals
        if verdict["severity"] == "failure":
            failed = True
            print(when, verdict["code"], who, verdict["summary"], sep="\t", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.exit(main(sys.argv[1]))
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(1)
