# The two commands of the README are `make run` and `make test`. Both do their
# own set-up: Go modules by the go command, images by bootrace itself.
.DEFAULT_GOAL := help
BOOTRACE := bin/bootrace
# All tests of a package that boots machines share two cores, and on a slow host
# a boot takes five times as long.
TESTFLAGS ?= -timeout 60m
PREFIX ?= /usr/local
# What a release runs on. On darwin it is a client: its engine is Linux.
SYSTEMS := linux/amd64 linux/arm64 darwin/arm64 darwin/amd64
RELEASE = $(shell git describe --tags --always --dirty)
SBOM := go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0

.PHONY: help build install release run test short conformance lint golangci cross bench nightly kernel engines doctor clean

help: ## what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## the command, bin/bootrace, with all that it needs to run anywhere on this architecture
	@mkdir -p bin
	go run ./images/kit/pack $(shell go env GOARCH)
	go build -tags kit -trimpath -buildvcs=auto -o $(BOOTRACE) ./harness/cmd/bootrace

install: build ## the command, its manual pages and completions, below PREFIX (/usr/local)
	install -D -m 755 $(BOOTRACE) $(DESTDIR)$(PREFIX)/bin/bootrace
	$(BOOTRACE) manual $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions zsh/site-functions fish/vendor_completions.d)
	$(BOOTRACE) completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/bootrace
	$(BOOTRACE) completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_bootrace
	$(BOOTRACE) completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/bootrace.fish

# Built twice from the same commit the archives are the same bytes: no times, no owners, no paths.
release: build ## dist/: an archive for each system, with its bill of materials, and their checksums
	rm -rf dist && mkdir -p dist/manual
	$(BOOTRACE) manual dist/manual
	go run ./images/kit/pack amd64 arm64
	set -e; for t in $(SYSTEMS); do \
		name=bootrace-$(RELEASE)-$${t%/*}-$${t#*/}; mkdir dist/$$name; \
		GOOS=$${t%/*} GOARCH=$${t#*/} CGO_ENABLED=0 go build -tags kit -trimpath -buildvcs=auto -ldflags='-s -w' -o dist/$$name/bootrace ./harness/cmd/bootrace; \
		cp -r README.md CHANGELOG.md LICENSE dist/manual dist/$$name/; \
		$(SBOM) bin -json -noserial -output dist/$$name.part dist/$$name/bootrace; \
		grep -v '"timestamp":' dist/$$name.part > dist/$$name.cdx.json; \
		tar -C dist --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go=rX -cf - $$name | gzip -n > dist/$$name.tar.gz; \
		rm -r dist/$$name dist/$$name.part; \
	done
	rm -r dist/manual
	cd dist && sha256sum *.tar.gz *.cdx.json > SHA256SUMS

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
	for t in $(SYSTEMS); do \
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
