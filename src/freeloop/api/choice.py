"""Choice: which rules are asked, about which files, and what is taken for known."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from freeloop.model.finding import Finding
from freeloop.rules.registry import Rule, all_rules, refuse_unknown
from freeloop.source.patterns import any_matches


@dataclass(frozen=True, slots=True)
class Choice:
    """What a check is asked, beyond the paths.

    Attributes:
        select: Ids or names of the rules to ask; all when empty.
        ignore: Rules that are not asked all the same.
        per_file_ignores: Pattern, and the rules that do not count in the files that it means.
        exclude: Patterns of files that are not read.
        base: Directory that patterns start from.
        knowledge: The user's data files of blocking functions.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    base: Path = field(default_factory=Path.cwd)
    knowledge: tuple[Path, ...] = ()

    def rules(self) -> Sequence[Rule]:
        """Return the rules to ask.

        Raises:
            FreeloopError: `unknown-rule`.
        """
        refuse_unknown(self.select, "--select")
        refuse_unknown(self.ignore, "--ignore")
        return [
            rule
            for rule in all_rules()
            if (not self.select or rule.is_named_in(self.select))
            and not rule.is_named_in(self.ignore)
        ]

    def leaves_out(self, path: str) -> bool:
        """Tell whether a file, named by its absolute path, is not to be read."""
        return bool(self.exclude) and any_matches(self.exclude, self._relative(path))

    def ignores(self, finding: Finding, path: str) -> bool:
        """Tell whether a finding does not count in its file, named by its absolute path."""
        named = {finding.rule, finding.name}
        return any(
            named & set(rules) and any_matches([pattern], self._relative(path))
            for pattern, rules in self.per_file_ignores
        )

    def _relative(self, path: str) -> str:
        return Path(os.path.relpath(path, self.base)).as_posix()
