"""Settings of the case."""

ROOT_URLCONF = "urls"
