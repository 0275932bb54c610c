#!/usr/bin/env bash
# Unpacks Debian packages and everything they depend on into a new folder, for images: debian.sh FOLDER PACKAGE...
# apt resolves them as for an empty system and checks their signatures; nothing is installed here. Documentation
# goes, licences stay, and each package leaves its record where scanners of images look for it.
set -euo pipefail

for program in apt-get dpkg-deb; do
	command -v "$program" >/dev/null || {
		echo "Unpacking Debian packages needs $program: use a Debian machine" >&2
		exit 1
	}
done
folder=$1
shift
scratch=$folder.part
rm -rf "$scratch"
mkdir -p "$scratch/archives/partial" "$scratch/root/var/lib/dpkg/status.d"
trap 'rm -rf "$scratch"' EXIT

download() {
	apt-get install -qq -y --download-only --no-install-recommends \
		-o Dir::State::status=/dev/null -o Dir::Cache::archives="$scratch/archives" -o Debug::NoLocking=true \
		-o APT::Sandbox::User="$(id -un)" "$@" >"$scratch/log" 2>&1
}
if ! download "$@"; then
	apt-get update -qq # the package lists of a fresh machine are empty or old
	download "$@" || {
		cat "$scratch/log" >&2
		exit 1
	}
fi

for archive in "$scratch"/archives/*.deb; do
	name=$(dpkg-deb --field "$archive" Package)
	dpkg-deb --extract "$archive" "$scratch/root"
	dpkg-deb --field "$archive" >"$scratch/root/var/lib/dpkg/status.d/$name"
done
rm -rf "$scratch"/root/usr/share/{man,info,lintian,locale,bug,gdb}
find "$scratch/root/usr/share/doc" ! -type d ! -name copyright -delete
find "$scratch/root" -type d -empty -delete

rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
mv "$scratch/root" "$folder"
