# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors

"""Write the files of the web page as a C source: embed.py OUT FILE..."""

import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


def rows(data):
    for at in range(0, len(data), 20):
        yield "\t" + " ".join(f"{byte}," for byte in data[at : at + 20])


def main(out, files):
    lines = ['#include "ctl/web/assets.h"', ""]
    table = []
    for i, file in enumerate(map(pathlib.Path, files)):
        data = file.read_bytes()
        path = "/" if file.name == "index.html" else f"/{file.name}"
        lines += [f"static const unsigned char file_{i}[] = {{", *rows(data), "};", ""]
        table.append(f'\t{{"{path}", "{TYPES[file.suffix]}", file_{i}, sizeof(file_{i})}},')
    lines += ["const struct http_asset web_assets[] = {", *table, "};"]
    lines += [f"const size_t n_web_assets = {len(table)};", ""]
    pathlib.Path(out).write_text("\n".join(lines))


main(sys.argv[1], sys.argv[2:])
