# For people. Meson does the work; this knows the order of things.
#
#   make run                             install what is missing, build, start the daemon (what it keeps is in run/);
#                                        where nothing is configured yet, it offers the demo
#   make run ADDRESS=ann@example.org [OPTIONS='--password-file FILE …']
#                                        the same, but find out why that mailbox does not connect
#   make test [SANITIZE=address,undefined | SANITIZE=thread]   install what is missing, build, pass all tests
#   make deb                             the Debian package, into build/deb, judged by lintian
#   make test-deb                        the package on a clean Debian 12 (debootstrap, as root, a few minutes)
#   make lint · make fuzz [SECONDS=180] [TARGET=imap] · make bench · make install [PREFIX=/usr/local] · make clean

SHELL    := /bin/bash
comma    := ,
BUILD    := build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
PREFIX   ?= /usr/local
ADDRESS  ?=

.PHONY: all run test lint fuzz bench install deb test-deb deps clean
all: $(BUILD)/mailmoor

# With sanitizers gcc warns of what cannot be (null formats): warnings are errors in the plain build only.
deps:
	@tools/deps.sh

$(BUILD)/build.ninja: | deps
	@meson setup $(BUILD) --prefix=$(PREFIX) $(if $(SANITIZE),-Db_sanitize=$(SANITIZE) -Db_lundef=false -Dwerror=false)  >$(BUILD).log || { tail -5 $(BUILD).log; exit 1; }

.PHONY: $(BUILD)/mailmoor
$(BUILD)/mailmoor: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet mailmoor | { grep -v '^ninja: no work' || true; }; exit $${PIPESTATUS[0]}

run: $(BUILD)/mailmoor
ifeq ($(ADDRESS),)
	@BUILD=$(BUILD) STATE_DIRECTORY="$${STATE_DIRECTORY:-$(CURDIR)/run}" tools/run.sh $(OPTIONS)
else
	@: 'a cause that was found (1) and something still needed (3) are answers, not failures of make'; \
	$(BUILD)/mailmoor diagnose "$(ADDRESS)" $(OPTIONS); status=$$?; \
	[ $$status = 1 ] || [ $$status = 3 ] || exit $$status
endif

test: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet | { grep -v '^ninja: no work' || true; }; exit $${PIPESTATUS[0]}
	@[ tests/pages/node_modules/.package-lock.json -nt tests/pages/package-lock.json ] || npm ci --silent --no-audit --no-fund --prefix tests/pages
	@python3 tools/test.py $(BUILD)

lint: deps
	@tools/lint.sh

fuzz: deps
	@tools/fuzz.sh "$(TARGET)" "$(or $(SECONDS),180)"

bench: $(BUILD)/mailmoor
	@tools/deps.sh bench
	@ninja -C $(BUILD) --quiet | { grep -v '^ninja: no work' || true; }; exit $${PIPESTATUS[0]}
	@python3 tests/bench/bench.py $(BUILD)

deb:
	@tools/deb.sh build/deb

test-deb: deb
	@python3 tests/flows/package.py build/deb

install: $(BUILD)/mailmoor
	@meson install -C $(BUILD) --quiet

clean:
	rm -rf build build-*
