# docker build -t replication . && docker run --rm -v "$PWD/out:/out" replication
FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends make libarchive13 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /replication
COPY . .
RUN make .venv/.installed
ENV PATH="/replication/.venv/bin:$PATH"
# Raw files that may not be redistributed are mounted, never copied into an image:
#   docker run --rm -v /my/raw/files:/raw:ro -e REPLICATION_MIRROR=/raw -v "$PWD/out:/out" replication
CMD ["sh", "-c", "replication run && mkdir -p /out && cp -r tables figures report data_clean /out/"]
