# Runoff in a container: several processes behind one port, as an account that may write nothing but its home and /tmp.
# What it reads is said when it is started (docs/deploy.md); nothing of a deployment is in the image.
FROM python:3.11-slim-bookworm

RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin runoff

WORKDIR /app

COPY requirements.txt requirements-serve.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements-serve.txt

COPY .streamlit/config.toml .streamlit/config.toml
COPY static static
COPY pages pages
COPY lib lib
COPY streamlit_app.py ./
# The account cannot write here, and without this each process would compile all of it at each start.
RUN python -m compileall -q lib pages streamlit_app.py

USER runoff
ENV PYTHONUNBUFFERED=1

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "lib.serve.alive", "--port=8501"]
CMD ["python", "-m", "lib.serve", "--address=0.0.0.0", "--port=8501"]
