"""Django's settings, from the environment only; .env.example lists every variable."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from curation import environment
from curation.secret_key import secret_key
from curation.services.urls import database_url, redis_url

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(environment.text("WHETSTONE_VAR", str(BASE_DIR / "var"))).resolve()

DEBUG = environment.flag("DEBUG", default=False)
SECRET_KEY = secret_key(VAR)
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")
SITE_URL = environment.text("SITE_URL", "http://127.0.0.1:8000")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "curation",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "curation.middleware.Refusals",
]

ROOT_URLCONF = "curation.urls"
ASGI_APPLICATION = "curation.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"DATABASE_URL must begin with postgresql://, not {parts.scheme}://")
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    pooled, kept = environment.flag("DATABASE_POOL", False), environment.flag("DATABASE_KEPT", False)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "curation",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        # The web process pools its connections, a worker's threads keep theirs, a command holds the few that it needs.
        "CONN_MAX_AGE": None if kept and not pooled else 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**query, **({"pool": {"min_size": 1, "max_size": 8}} if pooled else {})},
    }


DATABASES = {"default": _database(database_url(os.environ, VAR))}
REDIS_URL = redis_url(os.environ, VAR)

AUTH_USER_MODEL = "curation.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"

OPEN_TEAMS = environment.flag("OPEN_TEAMS", default=False)  # whether everybody with an account may make a team, or staff only

# Counts of attempts (curation/throttle.py) are each web process's own; with the server of `manage.py supervise` there is one.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000, "CULL_FREQUENCY": 10},
    }
}
CLIENT_ADDRESS_HEADER = environment.text("CLIENT_ADDRESS_HEADER", "")  # set by the proxy in front; empty: there is none

LANGUAGE_CODE = "en"
USE_I18N = False  # the pages are in English alone, and to ask for the language at each number is a tenth of a long list's time
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "curation" / "assets"]
WHITENOISE_USE_FINDERS = True  # the few files are served from where they lie: no collectstatic

SECURE = environment.flag("SECURE", default=SITE_URL.startswith("https://"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURE
# The web server speaks plain HTTP, so with https somebody in front of it does the TLS; without this, redirects never end.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": [],
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}

API_RATE = environment.rate("API_RATE", "600/m")  # what the REST API allows one person, with all tokens together

# Where models may be read from, and what a run's artifacts are kept in: a folder, or a bucket. Rows hold no absolute path.
MODEL_ROOTS = environment.folders("MODEL_ROOTS", str(BASE_DIR / "trainer" / "tiny"))
ARTIFACTS_ROOT = environment.storage("ARTIFACTS_ROOT", str(VAR / "artifacts"))
ARTIFACTS_MERGED = environment.flag("ARTIFACTS_MERGED", default=isinstance(ARTIFACTS_ROOT, Path))
ARTIFACTS_POINTS = environment.flag("ARTIFACTS_POINTS", default=not isinstance(ARTIFACTS_ROOT, Path))
# What this host keeps of it, and the most bytes of that.
ARTIFACTS_CACHE = Path(environment.text("ARTIFACTS_CACHE", str(VAR / "cache"))).resolve()
ARTIFACTS_CACHE_LIMIT = environment.number("ARTIFACTS_CACHE_LIMIT", 100 * 2**30)

# Where workers tell the steps of trainings, too, and where that is written which stays on their host.
TRACKERS = environment.chosen("TRACKERS", ("tensorboard", "mlflow", "wandb"))
TRACKING_ROOT = Path(environment.text("TRACKING_ROOT", str(VAR / "tracking"))).resolve()

# Where workers lock the devices that they own. A folder of the host itself: what shares devices must share it.
DEVICE_LOCKS = Path(environment.text("DEVICE_LOCKS", str(VAR / "devices"))).resolve()

# Where uploaded files wait for their import, and how large one may be. A request's body is kept there too while it arrives.
UPLOADS_ROOT = Path(environment.text("UPLOADS_ROOT", str(VAR / "uploads"))).resolve()
UPLOAD_LIMIT = environment.number("UPLOAD_LIMIT", 2**30)
FILE_UPLOAD_TEMP_DIR = UPLOADS_ROOT
SILENCED_SYSTEM_CHECKS = ["files.E001"]  # that the folder is there: curation/asgi.py makes it, for who receives

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        name: {"level": "WARNING"} for name in ("aiobotocore", "botocore")
    },  # each bucket client tells where its keys are
    "root": {"handlers": ["console"], "level": environment.text("LOG_LEVEL", "INFO")},
}
