# syntax=docker/dockerfile:1
# Two stages: build the environment and prepare the models, then copy both into a plain runtime image.
#   docker build --build-arg TORCH_INDEX=<PyTorch's CPU wheel index> -t tamga .
#   docker run --read-only --tmpfs /tmp --network host -v tamga:/data tamga
FROM python:3.11-slim-bookworm AS build
ARG TORCH_INDEX=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/opt/tamga/bin:$PATH
WORKDIR /src
RUN python -m venv /opt/tamga \
 && PIP_EXTRA_INDEX_URL="$TORCH_INDEX" pip install torch==2.13.0
COPY requirements/runtime.lock requirements/runtime.lock
RUN pip install --require-hashes -r requirements/runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY classifiers classifiers
COPY index index
COPY service service
RUN pip install --no-deps --no-build-isolation . \
 && TAMGA_MODELS=/opt/models tamga models prepare

FROM python:3.11-slim-bookworm
# pg_dump and pg_restore, for `tamga backup` of a PostgreSQL server up to version 15.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin tamga \
 && install -d -o tamga -g tamga /data
COPY --from=build /opt/tamga /opt/tamga
COPY --from=build /opt/models /opt/models
ENV PATH=/opt/tamga/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp TAMGA_HOME=/data TAMGA_MODELS=/opt/models
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["tamga"]
CMD ["serve"]
