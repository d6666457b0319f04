"""Whatever a request could notice stays stock: the real ASGI handler, with and without relief."""
