"""Django tests of a view that releases; run as a program, it prints what each class met."""

from __future__ import annotations

import json
import unittest
from typing import Any

import django
from django.test import SimpleTestCase, TestCase, TransactionTestCase
from django.test.runner import DiscoverRunner
from django.test.utils import setup_test_environment

from freeloop.relief import ConnectionInUse, install

met: dict[str, str] = {}


class InTransaction(TestCase):
    """The class that most tests are."""

    async def test_release(self) -> None:
        """Ask for a view that releases."""
        await ask(self)


class WithoutTransaction(TransactionTestCase):
    """The class without a transaction of its own."""

    async def test_release(self) -> None:
        """Ask for a view that releases."""
        await ask(self)


async def ask(test: SimpleTestCase) -> None:
    """Note the answer, or the refusal."""
    try:
        client: Any = test.async_client
        met[type(test).__name__] = str((await client.get("/again/")).status_code)
    except ConnectionInUse as refused:
        met[type(test).__name__] = refused.reason


def main() -> None:
    """Make a test database, run the classes, print what they met."""
    django.setup()
    install()
    setup_test_environment()
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases(aliases=["default"])
    loader = unittest.defaultTestLoader
    classes = (InTransaction, WithoutTransaction)
    suite = unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))
    suite.run(unittest.TestResult())
    runner.teardown_databases(databases)
    print(json.dumps(met))  # noqa: T201 - the answer of this program


if __name__ == "__main__":
    main()
