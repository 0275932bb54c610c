#!/usr/bin/env bash
# Brings the demo up or takes it away: demo.sh up | down. "make demo" explains the variables.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache=${STREAMPLANE_CACHE:-$PWD/.cache}
name=${NAME:-demo}
cluster=("$cache/bin/cluster" --name "$name")
images=$cache/bin/images
namespace=streamplane-demo
listen=${LISTEN:-127.0.0.1:8080}

say() {
	printf 'demo %7ss  %s\n' "$SECONDS" "$*"
}

# program finds a tool: the one on the PATH for a cluster of the user's own, else the one we build.
program() {
	local folder
	if [[ ${CLUSTER:-} == current ]] && command -v "$1"; then
		return
	fi
	folder=$("$cache/bin/cluster" tools "$1")
	echo "$folder/$1"
}

tools() {
	KUBECTL=$(program kubectl)
	HELM=$(program helm)
	export KUBECTL HELM
}

# platform applies the sample and waits until every service of it is ready.
platform() {
	"$KUBECTL" apply -f - <<-END
		apiVersion: v1
		kind: Namespace
		metadata:
		  name: $namespace
		  labels:
		    pod-security.kubernetes.io/enforce: restricted
	END
	"$KUBECTL" apply --namespace "$namespace" -f config/samples/minimal.yaml
	say "waiting until the platform is ready"
	"$KUBECTL" wait --namespace "$namespace" streamingplatform/acme --for condition=Ready --timeout 5m
}

# answers tells whether the published address serves the page.
answers() {
	local status
	exec 3<>"/dev/tcp/${listen%:*}/${listen##*:}" || return 1
	printf 'GET / HTTP/1.0\r\nHost: %s\r\n\r\n' "$listen" >&3
	read -r -t 5 status <&3 || status=
	exec 3>&-
	[[ $status == HTTP/*' 200 '* ]]
}

await_page() {
	for ((i = 0; i < 60; i++)); do
		if answers 2>/dev/null; then
			return
		fi
		sleep 1
	done
	echo "Nothing answers at http://$listen; see \"${cluster[*]} status\"" >&2
	return 1
}

up_local() {
	"${cluster[@]}" up # first, because it says at once when this machine cannot do it
	hack/packages.sh images
	"$images"
	export KUBECONFIG=$cache/clusters/$name/kubeconfig
	tools
	say "loading images"
	"${cluster[@]}" load "$cache"/images/{operator,gateway,streaming,sample-media}.tar
	hack/deploy.sh "$cache/images/values.yaml"
	platform
	"${cluster[@]}" publish "$namespace/acme-gateway:80" --listen "$listen"
	await_page
	cat <<-END

		The platform plays at  http://$listen
		Look around with       KUBECONFIG=$KUBECONFIG bin/kubectl get sp,ms,pods -n $namespace
		Remove everything with make demo-down
	END
}

up_current() {
	tools
	say "using the context $("$KUBECTL" config current-context)"
	values=()
	if [[ -n ${REGISTRY:-} ]]; then
		hack/packages.sh images
		"$images" --out "$cache/images-pushed" --registry "$REGISTRY" --push
		values=("$cache/images-pushed/values.yaml")
	fi
	hack/deploy.sh "${values[@]}"
	platform
	cat <<-END

		Open the platform with $KUBECTL port-forward -n $namespace service/acme-gateway ${listen##*:}:80
		then look at           http://127.0.0.1:${listen##*:}
		Remove everything with make demo-down CLUSTER=current
	END
}

down_current() {
	tools
	say "using the context $("$KUBECTL" config current-context)"
	"$KUBECTL" delete namespace "$namespace" --ignore-not-found
	if [[ -n $("$KUBECTL" get crd streamingplatforms.streamplane.dev --ignore-not-found) &&
		-n $("$KUBECTL" get streamingplatforms,microservices --all-namespaces --output name) ]]; then
		echo "Other platforms live in this cluster: the operator and the CRDs stay."
		return
	fi
	"$HELM" uninstall streamplane --namespace streamplane-system --ignore-not-found --wait
	"$KUBECTL" delete crd streamingplatforms.streamplane.dev microservices.streamplane.dev --ignore-not-found
	"$KUBECTL" delete namespace streamplane-system --ignore-not-found
}

case "${1:-} ${CLUSTER:-}" in
"up ") up_local ;;
"up current") up_current ;;
"down ") "${cluster[@]}" down ;;
"down current") down_current ;;
*)
	echo "usage: demo.sh up | down; CLUSTER is empty or \"current\"" >&2
	exit 2
	;;
esac
