# Three images out of the same locks: the site (no torch), the worker (torch), the GPU worker (vLLM too).
# On a machine without a GPU, give `--build-arg PIP_EXTRA_INDEX_URL=…` with PyTorch's CPU builds for the target `worker`.

FROM python:3.11-slim AS site
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/whetstone
RUN useradd --system --uid 1000 --create-home whetstone && install -d -o whetstone /var/lib/whetstone /models
COPY locks/demo.txt locks/demo.txt
RUN pip install --no-deps --requirement locks/demo.txt
COPY manage.py LICENSE NOTICE ./
COPY templates templates
COPY toolcalls toolcalls
COPY curation curation
COPY trainer trainer
COPY worker worker
USER whetstone
ENV WHETSTONE_VAR=/var/lib/whetstone
EXPOSE 8000
CMD ["python", "-m", "granian", "--interface", "asginl", "--host", "0.0.0.0", "--port", "8000", "curation.asgi:application"]

FROM site AS worker
ARG TORCH="torch==2.13.0"
ARG PIP_EXTRA_INDEX_URL=""
USER root
RUN pip install "$TORCH"
USER whetstone
CMD ["python", "-m", "celery", "-A", "worker.app", "worker", "-P", "threads", "-c", "1", "-Q", "celery"]

# vLLM chooses its own torch. Compilers at run time: Triton needs a C compiler.
FROM site AS worker-gpu
ARG VLLM="vllm==0.31.0"
USER root
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN pip install "$VLLM" --constraint locks/demo.txt
USER whetstone
CMD ["python", "-m", "celery", "-A", "worker.app", "worker", "-P", "threads", "-c", "1", "-Q", "celery"]
