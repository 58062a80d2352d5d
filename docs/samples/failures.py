import collections
import json
import sys

failures = collections.Counter()
for line in sys.stdin:
    item = json.loads(line)
    # Pass over what you do not know: types of lines and fields are added.
    if item["type"] == "connection" and item["verdict"]["severity"] == "failure":
        failures[item["server_name"] or item["server"], item["verdict"]["code"]] += 1
for (server, code), count in failures.most_common():
    print(f"{count:5} {code:26} {server}")
