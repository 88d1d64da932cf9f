# The commands of a working day. Each is one line of uv; `.ci/run` runs the same targets.
.PHONY: install check test test-e2e bench docs format hooks coverage coverage-report

install: ## everything that the commands below need, as locked
	uv sync --locked

check: ## format, lint and types, of Python and of the page's JavaScript
	uv run ruff format --check .
	uv run ruff check .
	uv run mypy
	tools/javascript/check

test: ## the README's test command
	uv run pytest

test-e2e: ## slow tests, and those with real server processes, a real browser, a real LiveKit server
	uv run pytest -n0 -m "e2e or slow" -raR -p rerunfailures --reruns 1 --max-suite-reruns 5 --rerun-show-tracebacks

coverage: ## the tests with branches counted, then the ten least covered modules
	uv run pytest --cov --cov-report=
	@$(MAKE) --no-print-directory coverage-report

coverage-report:
	@echo "Least covered modules (branches included; processes that tests start are not counted):"
	@uv run coverage report --sort=cover | sed -n '1,12p;$$p'

bench: ## CPU time per call of every analyser
	uv run python -m benchmarks.analysers

docs: ## the documentation as a site, in build/site
	uv run python -m tools.site
	uv run --group docs zensical build --strict

format: ## formats Python and JavaScript in place
	uv run ruff format .
	uv run ruff check --fix .
	tools/javascript/check --write

hooks: ## runs format, lint and types before every commit
	uv run pre-commit install
