#!/usr/bin/env bash
# Installs the system packages that a group of targets needs and that are missing: packages.sh GROUP...
# The local cluster looks after its own.
set -euo pipefail

# group, a command or file that shows that it is there, Debian package
table() {
	cat <<'END'
images   ffmpeg    ffmpeg
images   npm       npm
images   /usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf fonts-dejavu-core
e2e      chromium  chromium
e2e      ffprobe   ffmpeg
END
}

present() {
	[[ $1 == /* && -e $1 ]] || command -v "$1" >/dev/null
}

missing=()
while read -r group probe package; do
	if [[ " $* " == *" $group "* ]] && ! present "$probe"; then
		missing+=("$package")
	fi
done < <(table)

if ((${#missing[@]} == 0)); then
	exit 0
fi
if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
	echo "Please install: ${missing[*]} (names of Debian packages)" >&2
	exit 1
fi
echo "Installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
install=(apt-get install -qq -y --no-install-recommends "${missing[@]}")
"${install[@]}" >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" >/dev/null; }
