# Engines on NVIDIA GPUs: Ray, vLLM's CUDA build, the serving package. For KubeRay's head and workers, and for
# `python -m serving` on one machine.
#
#   docker build -f deploy/docker/engine-cuda.Dockerfile -t tramontane/engine-cuda:0.1.0 .
#
# On plain Debian, not on nvidia/cuda: the wheels of deploy/locks/gpu.txt bring CUDA's libraries and nvcc at the
# versions that PyTorch and vLLM were built with, so that an image of CUDA's would add a second set of them. Of the host
# it needs the driver alone (for CUDA 13: 580 or newer), through NVIDIA's container toolkit.
# Behind mirrors: REGISTRY, PIP_INDEX_URL, APT_MIRROR as in router.Dockerfile.

ARG REGISTRY=docker.io/library
# The locks are made for this minor version. A digest, if one is given ("@sha256:…"), wins over the tag.
ARG PYTHON_TAG=3.11.14-slim-bookworm
ARG PYTHON_DIGEST=

FROM ${REGISTRY}/python:${PYTHON_TAG}${PYTHON_DIGEST} AS build
ARG PIP_INDEX_URL=https://pypi.org/simple
ARG PIP_EXTRA_INDEX_URL=
ENV PIP_INDEX_URL=${PIP_INDEX_URL} \
    PIP_EXTRA_INDEX_URL=${PIP_EXTRA_INDEX_URL} \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1
WORKDIR /build
# What changes seldom comes first: a change of this project's code leaves gigabytes of layers as they were.
COPY deploy/locks/build.txt deploy/locks/gpu.txt locks/
# --no-deps: the lock is all of it, and pip has nothing to decide.
RUN python3.11 -m venv --without-pip /opt/tramontane \
    && python3.11 -m venv /build/tools \
    && /build/tools/bin/pip install --require-hashes --only-binary :all: --requirement locks/build.txt \
    && /build/tools/bin/pip --python /opt/tramontane install --no-deps --require-hashes --only-binary :all: \
        --requirement locks/gpu.txt
COPY pyproject.toml README.md LICENSE ./
COPY router router
COPY serving serving
COPY deploy deploy
COPY bench bench
RUN /build/tools/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist .

FROM ${REGISTRY}/python:${PYTHON_TAG}${PYTHON_DIGEST}
ARG APT_MIRROR=
COPY deploy/docker/packages.sh /tmp/packages.sh
# libnuma: vLLM binds workers to the memory next to their card. Triton and FlashInfer compile kernels when they are
# first needed, with these compilers and Python's headers, which the base image has. KubeRay's probes call wget.
RUN bash /tmp/packages.sh libnuma1 gcc g++ wget && rm /tmp/packages.sh
# Under KubeRay pods run as whom they say; 1000 is what Ray's own images have. A login shell, which KubeRay may start,
# forgets PATH.
RUN useradd --uid 1000 --user-group --create-home --shell /bin/bash ray \
    && echo "PATH=/opt/tramontane/bin:\$PATH" >/etc/profile.d/tramontane.sh
COPY --from=build /opt/tramontane /opt/tramontane
RUN --mount=type=bind,from=build,source=/build,target=/build \
    /build/tools/bin/pip --python /opt/tramontane install --no-deps --no-index --no-cache-dir /build/dist/*.whl
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tramontane/engine-cuda" \
      org.opencontainers.image.description="vLLM engines on NVIDIA GPUs under Ray Serve" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/tramontane/bin:${PATH} \
    HOME=/home/ray \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DO_NOT_TRACK=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    CUDA_HOME=/opt/tramontane/lib/python3.11/site-packages/nvidia/cu13
# What every process of the cluster must have: serving/environment.py, and a test that the two agree.
ENV RAY_SERVE_ENABLE_DIRECT_INGRESS=1 \
    RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING=1 \
    RAY_SERVE_FORCE_STOP_UNHEALTHY_REPLICAS=1 \
    RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S=6 \
    RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD=0 \
    RAY_process_group_cleanup_enabled=1 \
    RAY_worker_niceness=0 \
    RAY_AUTH_MODE=token \
    RAY_USAGE_STATS_ENABLED=0
USER 1000:1000
WORKDIR /home/ray
# GCS, dashboard, Ray's client, engines' own ports
EXPOSE 6379 8265 10001 30000-31000
# KubeRay brings commands of its own; on one machine it is `python -m serving --deployment FILE`.
CMD ["python", "-m", "serving", "--help"]
