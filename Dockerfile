# A shop in a container:
#
#   docker build -t wares .
#   docker run --rm -v shop:/shop -v "$PWD/docs/tutorial:/data:ro" wares import --products /data/products.csv --events /data/events.csv
#   docker run --rm -v shop:/shop wares train
#   docker run --rm -v shop:/shop -p 8000:8000 -e WARES_ADMIN_KEY="$(openssl rand -hex 32)" wares
#
# The service listens on 0.0.0.0 inside the container, so it does not start without WARES_ADMIN_KEY or a key in the
# volume (`docker run --rm -v shop:/shop wares keys new --scope admin`).

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/wares
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN /opt/wares/bin/pip install --constraint constraints.txt .

FROM python:3.12-slim
ENV PATH=/opt/wares/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 WARES_SHOP=/shop
RUN useradd --system --uid 10001 --home-dir /shop --shell /usr/sbin/nologin wares \
 && install --directory --owner wares --group wares /shop
COPY --from=build /opt/wares /opt/wares
USER wares
WORKDIR /shop
VOLUME /shop
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4).close()"]
ENTRYPOINT ["wares"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
