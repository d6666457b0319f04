"""Settings of the case: a cache that waits for the network."""

CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}
