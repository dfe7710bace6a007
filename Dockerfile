# The web application alone: no test tools, no heavy extras, not root. It needs CANDOR_DATABASE_URL.
FROM python:3.12-slim AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /opt/candor && /opt/candor/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY app app
COPY templates templates
COPY static static
COPY migrations migrations
RUN /opt/candor/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/candor/bin/pip uninstall -y --quiet setuptools pip

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home candor
COPY --from=build /opt/candor /opt/candor
USER candor
ENV PATH=/opt/candor/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"]
CMD ["candor", "serve", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]
