FROM python:3.12-slim
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core && rm -rf /var/lib/apt/lists/*
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . .
RUN pybabel -q compile -d locale -D django \
 && SECRET_KEY=only-to-build python manage.py collectstatic --no-input -v 0 \
 && useradd --system app && mkdir -p /data/media var && chown -R app /data var
USER app
EXPOSE 8000
