# The FastAPI host, for Cloud Run, Kubernetes or any container engine. One image serves every model: what it serves is
# configuration (docs/DEPLOY.md), and no model is inside.

FROM python:3.11-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# The libraries, from the lock: made anew only when the lock changes. The environment gets no pip of its own.
COPY requirements/build.txt requirements/serving.txt requirements/
RUN python -m pip install --require-hashes --only-binary=:all: --no-compile --requirement requirements/build.txt \
    && python -m venv --without-pip /opt/model-bucket \
    && python -m pip --python /opt/model-bucket install --require-hashes --only-binary=:all: --no-compile \
        --requirement requirements/serving.txt

COPY . .
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && python -m pip --python /opt/model-bucket install --no-deps --no-index --no-compile /wheel/*.whl

# The libraries' own tests, stubs, headers and sources of extensions are never imported. Bytecode is not checked against
# its source at import, so it stays valid when a builder rewrites the times of files.
RUN find /opt/model-bucket/lib -type d -name tests -prune -exec rm -r {} + \
    && find /opt/model-bucket/lib -type f \
        \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.a' \) -delete \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/model-bucket/lib


FROM python:3.11-slim

LABEL org.opencontainers.image.title="model-bucket" \
      org.opencontainers.image.description="Serves a verified model version from a bucket" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"

# The base image has no bytecode of the standard library, and on a read-only root every start would compile it again.
# It brings pip, which a server does not need.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
        -x '/(test|idlelib|lib2to3|ensurepip|tkinter|turtledemo|site-packages|dist-packages)/' \
        "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && rm -rf /usr/local/bin/pip* /usr/local/bin/wheel \
        /usr/local/lib/python3.11/ensurepip /usr/local/lib/python3.11/site-packages/*

COPY --from=build /opt/model-bucket /opt/model-bucket

ENV PATH=/opt/model-bucket/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8080
EXPOSE 8080
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-c", "import os; from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ.get('PORT') or 8080}/health/ready\", timeout=2)"]
CMD ["python", "-m", "serving"]
