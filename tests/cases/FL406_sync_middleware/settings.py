"""Settings of the case."""

ROOT_URLCONF = "urls"
ASGI_APPLICATION = "asgi.application"
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "urls.StampMiddleware",
    "urls.CountMiddleware",
    "urls.timed",
]
