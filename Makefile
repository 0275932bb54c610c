# "make help" lists the targets. Whatever they build or fetch lands in .cache (or STREAMPLANE_CACHE).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

export STREAMPLANE_CACHE ?= $(CURDIR)/.cache
BIN := $(STREAMPLANE_CACHE)/bin
GO_BUILD := go build -trimpath -buildvcs=false

# Pinned tools; the version is part of the file name, so that a raised version is built.
GOLANGCI_LINT := $(BIN)/golangci-lint-v2.13.1
CONTROLLER_GEN := $(BIN)/controller-gen-v0.21.0
CRD_REF_DOCS := $(BIN)/crd-ref-docs-v0.3.0

# go-install builds a Go program: package, path of the file that ends in -VERSION.
define go-install
	@echo "Building $(notdir $2)"
	mkdir -p $(BIN)/new
	GOBIN=$(BIN)/new go install -trimpath -buildvcs=false $1@$(lastword $(subst -v, v,$2))
	mv $(BIN)/new/$(notdir $1) $2
endef

# cluster-tools is the folder with programs that the local cluster is built from.
cluster-tools = $$($(BIN)/cluster tools $1)

# with-tools runs a command that needs an API server, Helm or kubectl.
with-tools = assets=$${KUBEBUILDER_ASSETS:-$(call cluster-tools,etcd kube-apiserver)}; tools=$(call cluster-tools,helm kubectl); \
	KUBEBUILDER_ASSETS=$$assets STREAMPLANE_TOOLS=$$tools

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Run it

.PHONY: demo
demo: $(BIN)/cluster $(BIN)/images ## Bring up a local Kubernetes with a platform that plays at 127.0.0.1:8080 (CLUSTER=current: your cluster, with REGISTRY=host/path to push to; LISTEN=address)
	@hack/demo.sh up

.PHONY: demo-down
demo-down: $(BIN)/cluster ## Remove the demo
	@hack/demo.sh down

.PHONY: run
run: ## Run the operator from source against the current context
	KUBECONFIG=$${KUBECONFIG:-$$HOME/.kube/config} go run ./cmd/operator --releases=config/manager/releases.yaml --metrics-bind-address=0 --health-probe-bind-address=127.0.0.1:0

##@ Build it

.PHONY: build
build: ## Compile everything into .cache/build
	mkdir -p $(STREAMPLANE_CACHE)/build
	$(GO_BUILD) -o $(STREAMPLANE_CACHE)/build/ ./cmd/... ./services/...

.PHONY: images
images: $(BIN)/images ## Build one image per component into .cache/images, without Docker
	@hack/packages.sh images
	@$(BIN)/images

.PHONY: generate
generate: $(CONTROLLER_GEN) $(CRD_REF_DOCS) $(BIN)/manifests ## Regenerate deepcopy, CRDs, RBAC, chart copies and docs/api.md
	$(CONTROLLER_GEN) object paths=./api/...
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=streamplane-operator paths=./controllers/... paths=./cmd/... output:rbac:dir=config/rbac
	$(BIN)/manifests
	$(CRD_REF_DOCS) --source-path=api --config=docs/api.config.yaml --renderer=markdown --output-path=docs/api.md --log-level=ERROR

.PHONY: golden
golden: $(BIN)/cluster ## Rewrite the golden files: review the difference
	$(with-tools) go test $$(grep -rlE --include='*_test.go' 'internal/golden"|flag.Bool\("update"' . | xargs -n 1 dirname | sort -u) -update

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the code
	$(GOLANGCI_LINT) fmt ./...
	for module in hack test/gitops; do (cd $$module && $(GOLANGCI_LINT) fmt ./...); done

.PHONY: tidy
tidy: ## Tidy the modules
	for module in . hack test/gitops; do (cd $$module && go mod tidy); done

##@ Check it

.PHONY: test
test: unit e2e ## Run all tests

.PHONY: unit
unit: lint chart $(BIN)/cluster ## Lint, then test all code; the API tests run on a real etcd and kube-apiserver
	hack/packages.sh images
	for module in hack hack/cluster/thirdparty/network-policy test/gitops; do (cd $$module && go test -count=1 ./...); done # they read files outside their module, which the test cache does not notice
	$(with-tools) go test ./...
	if command -v node >/dev/null; then node --test examples/nodejs-service/test/*.test.js; fi

.PHONY: e2e
e2e: $(BIN)/cluster $(BIN)/images ## Test a whole platform on a local cluster with two nodes, then the cluster itself (KEEP=1 leaves it up, ARGS="-run Name")
	@hack/e2e.sh $(ARGS)
	@if [[ -z "$(ARGS)$(KEEP)" ]]; then cd hack && go test -tags cluster -count=1 -timeout 20m ./cluster/...; fi

.PHONY: bench
bench: $(BIN)/cluster ## Measure the operator beside a bare loop on a real API server: a table, and .cache/bench.json (ARGS="--sizes 1,20 --idle 10s --samples 10" takes two minutes)
	$(GO_BUILD) -o $(STREAMPLANE_CACHE)/build/ ./cmd/operator
	$(with-tools) go run ./test/bench --operator=$(STREAMPLANE_CACHE)/build/operator --out=$(STREAMPLANE_CACHE)/bench.json $(ARGS)

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Check style and find suspicious code
	$(GOLANGCI_LINT) run --allow-parallel-runners ./...
	for module in hack hack/cluster/thirdparty/network-policy test/gitops; do (cd $$module && $(GOLANGCI_LINT) run --allow-parallel-runners ./...); done
	if command -v shellcheck >/dev/null; then shellcheck hack/*.sh .ci/run; fi

.PHONY: chart
chart: $(BIN)/cluster ## Lint and render the Helm chart, check every object of it
	tools=$(call cluster-tools,helm kubectl); $$tools/helm lint --strict --quiet charts/streamplane; \
	STREAMPLANE_TOOLS=$$tools go test ./test/chart

.PHONY: verify
verify: generate fmt tidy ## Fail when generated files, formatting or modules are not up to date
	@changes=$$(git status --porcelain); \
	if [ -n "$$changes" ]; then echo "Not committed, or not up to date:"; echo "$$changes"; git --no-pager diff --stat; exit 1; fi

# Programs of hack/ are compiled each time: that is quick when nothing changed.
.PHONY: $(BIN)/cluster $(BIN)/images $(BIN)/manifests
$(BIN)/cluster $(BIN)/images $(BIN)/manifests:
	@cd hack && $(GO_BUILD) -o $@ ./$(@F)

$(GOLANGCI_LINT):
	$(call go-install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,$@)

$(CONTROLLER_GEN):
	$(call go-install,sigs.k8s.io/controller-tools/cmd/controller-gen,$@)

$(CRD_REF_DOCS):
	$(call go-install,github.com/elastic/crd-ref-docs,$@)
