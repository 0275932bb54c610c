#!/usr/bin/env bash
# Prepares the version that the upgrade test starts from: previous.sh FOLDER
# Unpacks its sources into FOLDER and prints Helm values that run its operator. IMAGES names the program that builds images.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The last version before this one that somebody may run.
previous=a364a6ceef1c3486294a4c2045156a3114a4c53c
folder=$1

if ! git cat-file -e "$previous^{commit}" 2>/dev/null; then
	git fetch --quiet --unshallow 2>/dev/null || true # a shallow clone does not have it
	git cat-file -e "$previous^{commit}" 2>/dev/null || {
		echo "The upgrade test starts from version $previous, which this folder does not hold: run it in a full clone" >&2
		exit 1
	}
fi
if [[ $(cat "$folder/.version" 2>/dev/null) != "$previous" ]]; then
	rm -rf "$folder"
	mkdir -p "$folder"
	git archive "$previous" | tar -x -C "$folder"
	echo "$previous" >"$folder/.version"
fi
printf 'operator:\n  image: %s\n' "$("$IMAGES" --root "$folder" variant operator previous)"
