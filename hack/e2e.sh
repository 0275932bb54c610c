#!/usr/bin/env bash
# Runs test/e2e on a local cluster of its own with two nodes, called e2e or NAME; arguments go to "go test".
# KEEP=1 leaves the cluster up for a look and uses one that is up already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${STREAMPLANE_CACHE:-$PWD/.cache}
name=${NAME:-e2e}
cluster=("$cache/bin/cluster" --name "$name")
images=$cache/bin/images
export STREAMPLANE_CACHE=$cache
export STREAMPLANE_ARTIFACTS=$cache/artifacts
export STREAMPLANE_CLUSTER=$name
export KUBECONFIG=$cache/clusters/$name/kubeconfig

# collect keeps what explains a failure.
collect() {
	local folder=$STREAMPLANE_ARTIFACTS/cluster
	mkdir -p "$folder"
	"$KUBECTL" get all,sp,ms,hpa,pdb,networkpolicies,events --all-namespaces --output wide >"$folder/objects.txt"
	"$KUBECTL" get sp,ms,deployments,pods --all-namespaces --output yaml >"$folder/objects.yaml"
	"$KUBECTL" logs --namespace streamplane-system deployment/streamplane-operator --tail=-1 >"$folder/operator.log"
	"${cluster[@]}" status >"$folder/status.txt"
	find "$cache/clusters/$name" -name '*.log' -exec cp {} "$folder" \;
}

finish() {
	local status=$?
	if ((status != 0)); then
		collect || true
		echo "Logs are in $STREAMPLANE_ARTIFACTS" >&2
	fi
	if [[ -z ${KEEP:-} ]]; then
		"${cluster[@]}" down || status=1
	fi
	exit "$status"
}

hack/packages.sh images e2e
"$images"
STREAMPLANE_VARIANT=$("$images" variant gateway e2e) # a new image for one service
STREAMPLANE_PROBE=$("$images" variant probe e2e)     # both ends of the connections of a test
STREAMPLANE_FACTS=$("$images" variant facts e2e)     # a service in another language
STREAMPLANE_FACTS_VARIANT=$("$images" variant facts e2e-2)
IMAGES=$images hack/previous.sh "$cache/previous" >"$cache/images/values-previous.yaml"
tools=$("$cache/bin/cluster" tools kubectl helm)
export STREAMPLANE_VARIANT STREAMPLANE_PROBE STREAMPLANE_FACTS STREAMPLANE_FACTS_VARIANT
export KUBECTL=$tools/kubectl HELM=$tools/helm
export STREAMPLANE_PLUGIN=$cache/build/kubectl-streamplane
go build -trimpath -buildvcs=false -o "$STREAMPLANE_PLUGIN" ./cmd/kubectl-streamplane

rm -rf "$STREAMPLANE_ARTIFACTS"
mkdir -p "$STREAMPLANE_ARTIFACTS"
trap finish EXIT
if [[ -z ${KEEP:-} ]]; then
	"${cluster[@]}" down # whatever a killed run has left
fi
"${cluster[@]}" up --nodes 2
"${cluster[@]}" load "$cache"/images/{operator,operator-previous,gateway,streaming,sample-media,gateway-e2e,probe-e2e,facts-e2e,facts-e2e-2}.tar
export STREAMPLANE_VALUES=$cache/images/values.yaml
if (($# == 0)) || [[ $* == *TestUpgrade* ]]; then # it starts with the version before, and all other tests with this one
	CHART=$cache/previous/charts/streamplane hack/deploy.sh "$STREAMPLANE_VALUES" "$cache/images/values-previous.yaml"
	go test -tags e2e -count=1 -timeout 20m -v -run '^TestUpgrade$' ./test/e2e
fi
hack/deploy.sh "$STREAMPLANE_VALUES"
go test -tags e2e -count=1 -timeout 40m -v -skip '^TestUpgrade$' ./test/e2e/... "$@"
