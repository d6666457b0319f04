"""What is on the menu."""

from __future__ import annotations

from django.db import models


class MenuItem(models.Model):
    name = models.CharField(max_length=80, unique=True)
    price_cents = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.name
