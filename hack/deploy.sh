#!/usr/bin/env bash
# Installs or upgrades the operator in the cluster of KUBECONFIG: deploy.sh [VALUES_FILE...]
# Does nothing when that chart with those values is installed already. HELM and KUBECTL name the programs, CHART another chart.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

namespace=streamplane-system
chart=${CHART:-charts/streamplane}
helm=${HELM:-helm}
kubectl=${KUBECTL:-kubectl}

values=()
for file in "$@"; do
	values+=(--values "$file")
done
checksum=$(find "$chart" "$@" -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c1-40)

"$kubectl" apply -f config/default/namespace.yaml
if [[ -n $("$helm" list --namespace "$namespace" --deployed --selector "checksum=$checksum" --short) ]] &&
	"$kubectl" --namespace "$namespace" get deployment streamplane-operator >/dev/null 2>&1; then
	echo "The operator is installed and up to date"
else
	# An interrupted run leaves a release that Helm believes is still being worked on.
	"$kubectl" --namespace "$namespace" delete secret --ignore-not-found \
		--selector 'owner=helm,name=streamplane,status in (pending-install,pending-upgrade,pending-rollback)'
	"$helm" upgrade streamplane "$chart" --install --namespace "$namespace" \
		"${values[@]}" --labels "checksum=$checksum" --hide-notes --wait --timeout 5m
fi
"$kubectl" --namespace "$namespace" rollout status deployment/streamplane-operator --timeout 5m
