# The service, for docker, podman or buildah (docs/operate/deployment.md). Build arguments:
#   BASE     an image with Python 3.11 or later and its venv module
#   EXTRAS   what is installed: see pyproject.toml
#   MODELS   yes: the weights are part of the image (150 MB), and nothing is downloaded at the first start
#   MIRROR   a folder mounted while it is built, with weights that cannot be downloaded there
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG EXTRAS="--extra server --extra postgresql --extra s3"
ARG MODELS=yes
ARG MIRROR=""
# Bytecode is compiled here: the service's user cannot write it, and every start would compile all sources again.
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_SYSTEM_CERTS=1
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --quiet uv
ENV PATH=/app/.venv/bin:/opt/uv/bin:$PATH
WORKDIR /app
# The dependencies are a layer of their own: it changes with the lock alone.
COPY pyproject.toml uv.lock README.md LICENSE NOTICE ./
RUN uv sync --locked --no-default-groups ${EXTRAS} --no-install-project
COPY src src
RUN uv sync --locked --no-default-groups ${EXTRAS} --no-editable
RUN mkdir /opt/models && if [ "${MODELS}" = yes ]; then \
    proctoring models fetch --folder /opt/models ${MIRROR:+--mirror ${MIRROR}}; fi

FROM ${BASE}
RUN useradd --uid 10001 --create-home proctoring \
    && mkdir /models /data && chown proctoring:proctoring /models /data
COPY --from=build /app/.venv /app/.venv
COPY --from=build /opt/models /opt/models
COPY LICENSE NOTICE /app/
# By number, so that Kubernetes can tell that it is not root.
USER 10001
WORKDIR /data
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PROCTORING_HOST=0.0.0.0 \
    PROCTORING_MODELS_MIRROR=/opt/models \
    PROCTORING_MODELS_FOLDER=/models \
    PROCTORING_DATA_FOLDER=/data
# /models: verified weights and the networks compiled for this CPU, made again if it is empty. /data: the signing key and
# evidence. The rest of the file system may be read-only; /tmp must be writable.
VOLUME ["/models", "/data"]
EXPOSE 8000
# It refuses to start without a token's secret or a JWKS address: 0.0.0.0 is open to others.
CMD ["proctoring", "serve"]
# Alive, not ready: a server that drains, or whose database is away, must not be killed.
HEALTHCHECK --start-period=60s --interval=30s --timeout=10s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/api/health')"]
