# The two commands of the README are `make run` and `make test`. Both do their
# own set-up: Go modules by the go command, images by bootrace itself.
.DEFAULT_GOAL := help
BOOTRACE := bin/bootrace
# All tests of a package that boots machines share two cores, and on a slow host
# a boot takes five times as long.
TESTFLAGS ?= -timeout 60m

.PHONY: help build run test short conformance lint golangci cross bench nightly kernel engines doctor clean

help: ## what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## the command, bin/bootrace, with all that it needs to run anywhere on this architecture
	@mkdir -p bin
	go run ./images/kit/pack $(shell go env GOARCH)
	go build -tags kit -trimpath -buildvcs=auto -o $(BOOTRACE) ./harness/cmd/bootrace

run: build ## the main job: five scenarios against a real boot (ARGS='--base bookworm')
	$(BOOTRACE) run $(ARGS)

test: ## all tests, real machines included
	go test -p 1 $(TESTFLAGS) ./...

short: ## the tests that boot no machine
	go test -short ./...

# In its directory, so that go prints what a passed suite has to say: how many rows there are.
conformance: ## what Vector does, held against the stand-in (VECTOR=./vector: against a real one)
	cd images/vector/conformance && VECTOR='$(abspath $(VECTOR))' go test

lint: ## vet, staticcheck, gofmt, go.mod
	go vet ./...
	go tool staticcheck ./...
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo 'run: gofmt -w .'; exit 1; }
	go mod tidy -diff

cross: ## the command compiles for the other systems that talk to a Linux engine
	for t in darwin/arm64 darwin/amd64 linux/arm64; do \
		GOOS=$${t%/*} GOARCH=$${t#*/} CGO_ENABLED=0 go build -o /dev/null ./harness/cmd/bootrace || exit 1; \
	done

golangci: ## more rules, .golangci.yml (the first time its linter is built, which takes minutes)
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run

bench: build ## figures: overhead a case, populator latency, memory, cases at once, the store, the report
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m -p 1 ./harness/e2e ./harness/cmd/bootrace ./results/...

nightly: build ## slow and exhaustive: all scenarios into PostgreSQL (report: bin/nightly), the museum, its incidents from their journals, killed runs, slow rows of conformance
	BOOTRACE_NIGHTLY=1 go test -p 1 -timeout 180m -run Nightly -v ./harness/... ./results/...
	cd images/vector/conformance && BOOTRACE_NIGHTLY=1 go test

kernel: ## slow: boots on Debian's own kernel, emulated
	BOOTRACE_NIGHTLY=1 go test -timeout 90m -run DebiansKernel -v ./harness/e2e

engines: ## slow: boots on the engines of Debian's releases (Docker, Podman, rootless)
	BOOTRACE_NIGHTLY=1 go test -timeout 150m -run 'TestEngines$$' -v ./harness/e2e

doctor: build ## can this host boot machines?
	$(BOOTRACE) doctor

clean: build ## remove machines and leftovers of dead runs
	$(BOOTRACE) clean
