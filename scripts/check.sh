#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors

# What can be said about the tree without building it: format, floors, notes left behind, licence
# lines, a README in every folder of code. Prints what is wrong, one line each; exit 1 if anything is.

set -uo pipefail
cd "$(dirname "$0")/.."
bad=0
complain() {
	echo "$*"
	bad=1
}

# Tracked and new files alike, so that a check before the commit sees what the commit will hold.
mapfile -t files < <(git ls-files --cached --others --exclude-standard | while read -r f; do [ -f "$f" ] && echo "$f"; done)
code=()
for f in "${files[@]}"; do
	case $f in
	tests/data/*) ;; # vectors stay as they came
	*.c | *.h | *.cc) code+=("$f") ;;
	esac
done

format=$(clang-format-14 --dry-run -Werror "${code[@]}" 2>&1 | grep -E 'error:' | cut -d: -f1 | sort | uniq -c)
[ -z "$format" ] || complain "not as clang-format-14 writes it (places, file):"$'\n'"$format"

# The floors of the tree. A folder includes itself and lower floors, never a neighbour.
floors='
dataplane/base 0
ctl/dp 1
ctl/api 11
dataplane/proto 10
dataplane/io 10
dataplane/state 20
dataplane/path 30
dataplane/worker 40
ctl/store 40
ctl/http 40
dataplane/control 50
ctl/core 50
dataplane 60
ctl/daemon 60
ctl/cli 60
ctl/web 55
perf 70
tests 70
'
floor_report=$(grep -HoE '^#include "[^"]+"' "${code[@]}" | awk -v table="$floors" '
	BEGIN {
		n = split(table, line, "\n")
		for (i = 1; i <= n; i++)
			if (split(line[i], f, " ") == 2)
				floor[f[1]] = f[2]
	}
	# The longest folder of the table that holds this path.
	function home(path) {
		while (sub("/[^/]*$", "", path))
			if (path in floor)
				return path
		return ""
	}
	{
		split($0, part, ":#include ")
		gsub("\"", "", part[2])
		from = home(part[1])
		to = home(part[2])
		if (to == "")
			to = home("dataplane/" part[2])
		if (from == "")
			print part[1] ": its folder has no floor in scripts/check.sh"
		else if (to == "" || to == "dataplane" || to == "tests" || to == "perf" || from == to)
			next
		else if (floor[to] >= floor[from])
			print part[1] ": includes " part[2] ", which is not on a lower floor"
		else if (from == "dataplane/proto" && to != "dataplane/base")
			print part[1] ": includes " part[2] "; proto stands on base alone"
	}' | sort -u)
[ -z "$floor_report" ] || complain "$floor_report"

for f in "${files[@]}"; do
	case $f in
	*/corpus/* | tests/data/* | LICENSE | scripts/check.sh) continue ;;
	esac
	grep -nIHE '\b(TODO|FIXME|XXX)\b' "$f" && bad=1
	case $f in
	*.c | *.h | *.cc | *.py | scripts/*)
		case $f in *.md | *.txt | *.json | *.yaml) continue ;; esac
		head -5 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || complain "$f: no licence line"
		;;
	esac
	case $f in
	*.h) [ "$(head -1 "$f")" = '#pragma once' ] || complain "$f: does not begin with #pragma once" ;;
	esac
done

for folder in $(printf '%s\n' "${code[@]}" | grep -v '/corpus/' | xargs -n1 dirname | sort -u); do
	[ -f "$folder/README.md" ] || complain "$folder: has no README.md"
done

# What a folder's README says is what there is: it names every file of code. `ops*` names all that
# begin so, `cmd_NOUN` too.
for readme in $(printf '%s\n' "${files[@]}" | grep -E '^(ctl|dataplane|perf/load)/(.*/)?README\.md$'); do
	mapfile -t said < <(grep -oE '`[^`]+`' "$readme" | tr -d '`' | sed -E 's/\.c$//; s/NOUN$/*/')
	for f in $(printf '%s\n' "${code[@]}" | grep -E "^$(dirname "$readme")/[^/]+\.c$"); do
		name=$(basename "$f" .c)
		for word in "${said[@]}"; do
			# shellcheck disable=SC2053 # the word is a pattern
			[[ $name == $word ]] && continue 2
		done
		complain "$readme: does not name \`$name\`"
	done
done

[ $bad -eq 0 ] && echo "check: ${#files[@]} files, nothing to say"
exit $bad
