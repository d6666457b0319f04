"""From findings to proposals: what a recipe would write, tried in its file, or why it would not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import django

from freeloop.fix.change import Change, Refused
from freeloop.fix.edit import Overlap, as_edits
from freeloop.fix.recipe import Spot, recipes_of
from freeloop.fix.source import Source, Unfit
from freeloop.fix.trial import tried
from freeloop.model.finding import Edit, Finding, Fix, Safety
from freeloop.source.code.declared import declared_django
from freeloop.source.code.graph import Graph
from freeloop.source.code.index import Func, Module


@dataclass(frozen=True, slots=True)
class Proposal:
    """A finding with its fix, and the changes that the fix was made of.

    Attributes:
        finding: With the fix in it.
        fix: The same fix.
        changes: Of its files; they pass in each file alone.
        key: What stays of the finding when lines move.
    """

    finding: Finding
    fix: Fix
    changes: tuple[Change, ...]
    key: str


@dataclass(slots=True)
class Workshop:
    """The files of a project as text, read when a finding in them may be mended.

    Attributes:
        graph: Of the project.
        overlay: Content of files that is not on the disk yet, by their absolute path.
    """

    graph: Graph
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    _sources: dict[str, Source] = field(default_factory=dict)

    def propose(self, finding: Finding) -> tuple[Finding, Proposal | None]:
        """Return a finding with its fix, and the proposal if there is an edit."""
        recipes = list(recipes_of(finding.rule))
        if not recipes:
            return finding, None
        try:
            spot = self._spot(finding)
            for recipe in recipes:
                draft = recipe.draft(spot) if spot is not None else None
                if draft is not None:
                    break
            else:
                return finding, None
            self._try(draft.changes)
            edits = _edits(draft.changes)
        except Refused as refused:
            return _with_reason(finding, str(refused)), None
        except (Overlap, Unfit) as problem:
            return _with_reason(finding, str(problem)), None
        doubts = (*draft.doubts, *(self._doubts_of_django(finding) if recipe.of_django else ()))
        safety = Safety.UNSAFE if doubts else Safety.SAFE
        sentence = draft.sentence or _sentence(finding)
        fix = Fix(sentence, safety, edits, "; ".join(doubts))
        mended = dataclasses.replace(finding, fix=fix)
        line = " ".join(spot.source.line(finding.line).split()) if spot is not None else ""
        key = "\0".join([*same(finding), str(finding.column), line])
        return mended, Proposal(mended, fix, draft.changes, key)

    def _try(self, changes: tuple[Change, ...]) -> None:
        for source in dict.fromkeys(change.source for change in changes):
            tried(source, changes)

    def _spot(self, finding: Finding) -> Spot | None:
        module = self._module(finding)
        func = _function(module, finding) if module is not None else None
        if module is None or func is None:
            return None
        sites = tuple(
            site
            for site in self.graph.sites(func)
            if finding.line <= site.line <= max(finding.line, finding.end_line)
        )
        return Spot(self.graph, finding, func, sites, self.open)

    def _module(self, finding: Finding) -> Module | None:
        return self.graph.program.index.module_of(str(self._path(finding)))

    def _path(self, finding: Finding) -> Path:
        path = Path(finding.path)
        return path if path.is_absolute() else self.graph.here / path

    def _doubts_of_django(self, finding: Finding) -> tuple[str, ...]:
        """Return the doubt that the project's own Django has what the installed one has."""
        declared = declared_django(self._path(finding), self.graph.here)
        if declared is None or declared.below > django.VERSION[:2]:
            return ()
        file = self.graph.shown(str(declared.path))
        installed = ".".join(map(str, django.VERSION[:2]))
        return (f"it is there in Django {installed}, and {file} asks for {declared.text}",)

    def open(self, path: str) -> Source:
        """Return a file of the project.

        Raises:
            Refused: If it cannot be edited.
        """
        if path not in self._sources:
            try:
                content = self.overlay[path] if path in self.overlay else Path(path).read_bytes()
                self._sources[path] = Source(path, self.graph.shown(path), content)
            except OSError as error:
                raise Refused(f"{path} cannot be read: {error.strerror}") from error
            except Unfit as unfit:
                raise Refused(str(unfit)) from unfit
        return self._sources[path]


def same(finding: Finding) -> tuple[str, str, str, str]:
    """Return what is the same of a finding before and after an edit elsewhere in its file."""
    where = finding.chain[-1].function if finding.chain else ""
    return finding.rule, finding.path, where, finding.subject


def _function(module: Module, finding: Finding) -> Func | None:
    """Return the function that the cause of a finding is in."""
    where = finding.chain[-1].function if finding.chain else ""
    found = [func for func in module.functions if func.qualified == where]
    return next((func for func in found if func.line <= finding.line <= func.end_line), None)


def _edits(changes: tuple[Change, ...]) -> tuple[Edit, ...]:
    found: list[Edit] = []
    for source in dict.fromkeys(change.source for change in changes):
        pieces = [piece for change in changes if change.source is source for piece in change.pieces]
        found += as_edits(source, pieces)
    return tuple(found)


def _with_reason(finding: Finding, reason: str) -> Finding:
    return dataclasses.replace(finding, fix=Fix(_sentence(finding), reason=reason))


def _sentence(finding: Finding) -> str:
    return finding.fix.sentence if finding.fix is not None else ""
