"""Dishes with a photo and a recipe."""

from django.db import models


class ScannedFileField(models.FileField):
    pass


class Dish(models.Model):
    photo = models.ImageField()
    recipe = ScannedFileField()
