"""What the CPython test runs: it imports json, re, hashlib and dataclasses, and reads and writes the folder /data."""
import dataclasses
import hashlib
import json
import os
import re


@dataclasses.dataclass(order=True)
class Word:
    text: str
    count: int = 0


with open("/data/a.txt") as file:
    text = file.read()
words = {}
for match in re.finditer(r"[a-z]+", text):
    words.setdefault(match[0], Word(match[0])).count += 1
report = {"words": [dataclasses.asdict(word) for word in sorted(words.values())],
          "sha256": hashlib.sha256(text.encode()).hexdigest(),
          "primes": [n for n in range(2, 60) if all(n % k for k in range(2, n))]}
os.mkdir("/data/out")
with open("/data/out/report.json", "w") as file:
    json.dump(report, file, indent=1, sort_keys=True)
with open("/data/out/report.json") as file:
    print(json.dumps(json.load(file), sort_keys=True))
os.rename("/data/out/report.json", "/data/out/done.json")
print(sorted(os.listdir("/data")), os.listdir("/data/out"))
try:
    open("/etc/passwd")
except OSError as error:
    print("outside:", type(error).__name__)
