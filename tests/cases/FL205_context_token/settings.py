"""Settings of the case."""

ROOT_URLCONF = "urls"
ASGI_APPLICATION = "asgi.application"
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "urls.TenantMiddleware",
    "urls.PlainMiddleware",
    "urls.AroundMiddleware",
]
