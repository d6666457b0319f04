"""Models of the case."""

from __future__ import annotations

import enum

from django.db import models


class DishQuerySet(models.QuerySet):
    def cheap(self):
        return self.filter(price__lt=5)

    def how_many(self):
        return self.count()


class Guest(models.Model):
    name = models.CharField(max_length=9)
    favourite = models.ForeignKey("Dish", on_delete=models.CASCADE)
    tables = models.ManyToManyField("Table")

    @property
    def orders_so_far(self):
        return Order.objects.filter(guest=self).count()  # FL111


class Dish(models.Model):
    price = models.IntegerField()
    objects = DishQuerySet.as_manager()


class Order(models.Model):
    guest = models.ForeignKey(Guest, on_delete=models.CASCADE)
    dish = models.ForeignKey("Dish", on_delete=models.CASCADE)


class Table(models.Model):
    seats: models.QuerySet[Guest]

    def numbers(self):
        return [seat.pk for seat in self.seats.all()]


class Kind(enum.Enum):
    NONE = 1
    CHEAP = 2
    DEAR = 3
