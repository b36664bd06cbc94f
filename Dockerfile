# The gateway, without development packages. Models are fetched while building, so that a container starts offline.
FROM python:3.11-slim AS build
WORKDIR /srv/wayside
RUN python -m venv /opt/wayside
ENV PATH=/opt/wayside/bin:$PATH XDG_CACHE_HOME=/opt/cache
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY core core
COPY app app
COPY agents agents
COPY retrieval retrieval
COPY multimodal multimodal
COPY edge edge
COPY finetune finetune
COPY tabular tabular
COPY evals evals
COPY migrations migrations
RUN pip install --no-cache-dir -c constraints.txt -e '.[voice,vision,postgres,redis,stream]' && wayside models pull

FROM python:3.11-slim
RUN useradd --system --create-home wayside && mkdir /data && chown wayside /data
COPY --from=build /opt /opt
COPY --from=build /srv/wayside /srv/wayside
USER wayside
WORKDIR /srv/wayside
ENV PATH=/opt/wayside/bin:$PATH XDG_CACHE_HOME=/opt/cache WAYSIDE_WORKSPACE=/data WAYSIDE_HOST=0.0.0.0
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["wayside", "serve"]
