# The router and the command line: what deploy/locks/router.txt holds, and nothing of the engines.
#
#   docker build -f deploy/docker/router.Dockerfile -t tramontane/router:0.1.0 .
#
# Behind mirrors: --build-arg REGISTRY=registry.internal --build-arg PIP_INDEX_URL=https://pypi.internal/simple
#                 --build-arg APT_MIRROR=http://debian.internal/debian   (security: …/debian-security)
# Rules: the router is process 1. It handles SIGTERM itself and waits for the one kind of process that it starts
# (readers of PDF documents), so there is nothing for an init to do. Nothing is written but to the volumes that it is
# given.

ARG REGISTRY=docker.io/library
# The locks are made for this minor version. A digest, if one is given ("@sha256:…"), wins over the tag.
ARG PYTHON_TAG=3.11.14-slim-bookworm
ARG PYTHON_DIGEST=

FROM ${REGISTRY}/python:${PYTHON_TAG}${PYTHON_DIGEST} AS build
ARG PIP_INDEX_URL=https://pypi.org/simple
ARG PIP_EXTRA_INDEX_URL=
ARG APT_MIRROR=
ENV PIP_INDEX_URL=${PIP_INDEX_URL} \
    PIP_EXTRA_INDEX_URL=${PIP_EXTRA_INDEX_URL} \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1
WORKDIR /build
COPY deploy/docker/packages.sh deploy/docker/slim.sh ./
RUN ./packages.sh binutils
COPY deploy/locks/build.txt deploy/locks/router.txt locks/
# Without pip in it, which nobody needs in an image. Bytecode is made below, independent of files' times.
# --no-deps: the lock is all of it, and pip has nothing to decide.
RUN python3.11 -m venv --without-pip /opt/tramontane \
    && python3.11 -m venv /build/tools \
    && /build/tools/bin/pip install --require-hashes --only-binary :all: --requirement locks/build.txt \
    && /build/tools/bin/pip --python /opt/tramontane install --no-compile --no-deps --require-hashes \
        --only-binary :all: --requirement locks/router.txt
COPY pyproject.toml README.md LICENSE ./
COPY router router
COPY serving serving
COPY deploy deploy
COPY bench bench
RUN /build/tools/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist . \
    && /build/tools/bin/pip --python /opt/tramontane install --no-compile --no-deps --no-index dist/*.whl \
    && ./slim.sh /opt/tramontane \
    && /opt/tramontane/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/tramontane/lib

FROM ${REGISTRY}/python:${PYTHON_TAG}${PYTHON_DIGEST}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tramontane/router" \
      org.opencontainers.image.description="Router that speaks OpenRouter's API in front of vLLM engines" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The spool's folder must be there, and the router's, for a named volume to belong to it.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tramontane \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/tramontane /var/lib/tramontane/spool \
    && install -d /etc/tramontane
COPY --from=build /opt/tramontane /opt/tramontane
ENV PATH=/opt/tramontane/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TRAMONTANE_HEALTH_URL=http://127.0.0.1:8080/healthz
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/tramontane
# API; administration and metrics where the file gives them ports of their own; other routers
EXPOSE 8080 8081 9090 8082/udp
# Not asked by Kubernetes. -I -S: without site-packages, a check takes 50 ms.
HEALTHCHECK --interval=10s --timeout=5s --start-period=150s --retries=3 \
    CMD ["python", "-I", "-S", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(os.environ['TRAMONTANE_HEALTH_URL'], timeout=4)"]
# Not `tramontane route`, which would only become this: other options can follow, such as --check.
ENTRYPOINT ["python", "-m", "router"]
CMD ["--config", "/etc/tramontane/router.yaml"]
