"""The two short programs that travel in a bundle and read it: with Python alone, and with R alone."""

PYTHON = '''\
"""Reads a Candor bundle with nothing but Python: python read.py BUNDLE.zip

In pandas: pandas.read_csv(zipfile.ZipFile("BUNDLE.zip").open("choices.csv"))
"""

import csv
import hashlib
import io
import json
import sys
import zipfile

csv.field_size_limit(2**31 - 1)


def read(path):
    """Return each table as a list of rows, each row a dict; refuse a bundle that is not as it was written."""
    tables = {}
    with zipfile.ZipFile(path) as bundle:
        manifest = json.loads(bundle.read("manifest.json"))
        for name, file in manifest["files"].items():
            content = bundle.read(name)
            if hashlib.sha256(content).hexdigest() != file["sha256"]:
                raise SystemExit(f"{name} is not as it was written")
            table, _, kind = name.rpartition(".")
            if kind == "csv":
                tables[table] = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
            elif kind == "jsonl":
                tables[table] = [json.loads(line) for line in content.decode("utf-8").split("\\n") if line]
    return tables


if __name__ == "__main__":
    for table, rows in read(sys.argv[1]).items():
        print(table, len(rows))
'''

R = r"""# Reads a Candor bundle with nothing but R: Rscript read.R BUNDLE.zip
# preferences.jsonl: jsonlite::stream_in(unz("BUNDLE.zip", "preferences.jsonl"))

read_bundle <- function(path) {
  files <- utils::unzip(path, list = TRUE)$Name
  if (!"manifest.json" %in% files) stop("the bundle is not whole: download it again")
  files <- grep("\\.csv$", files, value = TRUE)
  logical <- function(values) if (all(values %in% c("true", "false", NA))) values == "true" else values
  tables <- lapply(files, function(name) {
    rows <- utils::read.csv(unz(path, name), na.strings = "", encoding = "UTF-8", stringsAsFactors = FALSE)
    rows[] <- lapply(rows, logical)
    rows
  })
  stats::setNames(tables, sub("\\.csv$", "", files))
}

if (sys.nframe() == 0L) {
  tables <- read_bundle(commandArgs(trailingOnly = TRUE)[1])
  for (name in names(tables)) cat(name, nrow(tables[[name]]), "\n")
}
"""
