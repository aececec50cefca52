# Thin on purpose: the logic is in crates/xtask.
# Not --quiet: the first run compiles xtask and should be seen to do so.
XTASK := cargo run --locked --bin xtask --

.DEFAULT_GOAL := help
.PHONY: help setup demo up test cluster-test compose-test matrix fuzz hostile chaos soak bench bench-check screenshots lint book dist images release render fmt clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## fetch or build the tools that are missing, into .tools/
	@$(XTASK) setup

demo: ## show the walkthroughs on this machine
	@$(XTASK) demo

up: ## start user-segment, or WALKTHROUGH=name, and keep it running
	@$(XTASK) up

cluster-test: ## apply every rendering to a Kubernetes API, twice, and delete it; needs KUBE_APISERVER or KUBECONFIG
	@$(XTASK) test --tier cluster $(if $(ONLY),"$(ONLY)")

compose-test: ## run the walkthroughs as containers, and what can befall containers; needs a Docker engine
	@$(XTASK) test --tier containers

test: ## run every check and every test
	@$(XTASK) test

matrix: ## run the filters' suites and two walkthroughs on every supported Envoy, about 20 minutes, into README.md
	@$(XTASK) matrix $(if $(SHORT),--short)

fuzz: ## give every parser and every decision hostile input, SECONDS each, into docs/hostile-input.md; needs a C++ compiler
	@$(XTASK) fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SHORT),--short) $(TARGETS)

hostile: ## send REQUESTS hostile requests to each filter, a million unless given, into docs/hostile-input.md
	@$(XTASK) hostile $(if $(REQUESTS),--requests $(REQUESTS))

chaos: ## let happen under load what can happen, about 10 minutes, into docs/faults.md
	@$(XTASK) chaos

soak: ## send a constant rate of requests for MINUTES, 3 unless given, into docs/load.md
	@$(XTASK) soak $(if $(MINUTES),--minutes $(MINUTES))

bench: ## measure what a lane costs, about 13 minutes on a quiet machine, into bench/
	@$(XTASK) bench

bench-check: ## compare the ratios that have goals with those in bench/figures.json
	@$(XTASK) bench --check

screenshots: ## take the pictures of the page in docs/ anew
	@$(XTASK) screenshots

lint: ## check format, lints, dependencies and documentation
	@$(XTASK) lint

book: ## build the documentation as a site into target/book/html, and check its links
	@$(XTASK) book

dist: ## build the filters as release modules into dist/
	@$(XTASK) dist

release: ## push an image of each filter to RELEASE_REGISTRY, and write the files of a release into dist/release/
	@$(XTASK) release

render: ## write manifests/ and envoy/ anew from the lane groups
	@$(XTASK) compose
	@UPDATE_GOLDEN=1 cargo test --quiet --locked --test rendering -- walkthroughs observability

images: ## build an image of each filter into dist/images/, and those of the containers
	@$(XTASK) images

fmt: ## format the sources
	@cargo fmt --all

clean: ## remove what was built; fetched tools stay in .tools/
	@cargo clean && rm -rf dist
