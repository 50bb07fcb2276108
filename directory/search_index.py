"""Names as a search reads them: which could be near to what is typed, and which begin so.

A name's letters, counted and packed into bits, bound how near it can be: only names within the
bound are scored, so that none of the nearest is ever left out.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

Ids = NDArray[np.intp]
Scores = NDArray[np.float32]
Values = NDArray[np.float64]

SIGNS = "eontrialscudh bfgjkmpqvwxyz0123456789"
BITS = np.array(
    [(at, times) for at in range(37) for times in range(1, 7 if at < 14 else 3 if at < 27 else 2)]
)
"""What each bit of a signature says: this sign is there so many times. The commonest have most."""

FIRST = 500
"""How many of those that could be nearest are scored before the rest; the best of them rule it out."""

LAST = "\U0010ffff"
"""Sorts after whatever a normal text has."""

_DROPPED = re.compile(
    r"\b(the|of|and|council|county|borough|city|district|metropolitan|royal|london|police|"
    r"constabulary|service|heddlu|cyngor)\b"
)


def normal(text: str) -> str:
    """Return what is typed without case, accents, signs and doubled spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = plain.replace("&", " and ").replace("'", "").replace("’", "")
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())


def core(text: str) -> str:
    """Return a normal name without the words that every council or force has."""
    return " ".join(_DROPPED.sub(" ", text).split()) or text


class Near:
    """Different normal texts, of which only those are scored that can be near to a query."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._lengths = np.array([len(text) for text in texts], dtype=np.int32)
        self._bits = _signatures(texts, self._lengths)

    def ratio(self, query: str, least: float, handicaps: Values, few: int) -> tuple[Ids, Scores]:
        """Return texts at least so alike (of 100, by what they have in common), with how much.

        The best few are among them, the handicaps taken off; others may be left out.
        """
        apart = np.maximum(self._apart(query), np.abs(self._lengths - len(query)))
        most = 100 - 100 * apart / (self._lengths + len(query)) - handicaps
        ids = np.flatnonzero(most >= least)
        first = max(FIRST, few)
        if len(ids) <= first:
            return ids, self._scored(query, ids, fuzz.ratio, least)
        by_most = ids[np.argpartition(most[ids], -first)]
        rest, ids = by_most[:-first], by_most[-first:]
        scores = self._scored(query, ids, fuzz.ratio, least)
        needed = max(least, float(np.partition(scores - handicaps[ids], -few)[-few]))
        rest = rest[most[rest] >= needed]
        return (
            np.concatenate([ids, rest]),
            np.concatenate([scores, self._scored(query, rest, fuzz.ratio, needed)]),
        )

    def slips(self, query: str, least: float) -> tuple[Ids, Scores]:
        """Return the texts at least so alike (of 100, by slips of a letter), with how much."""
        longest = np.maximum(self._lengths, len(query))
        longer = np.abs(self._lengths - len(query))
        slips = (self._apart(query) + longer) / 2  # a letter for another is one come and one gone
        ids = np.flatnonzero(100 - 100 * slips / longest >= least)
        return ids, 100 * self._scored(query, ids, OSA.normalized_similarity, least / 100)

    def _apart(self, query: str) -> NDArray[np.int32]:
        """Return for each text how many letters must come or go at least to make it of the query."""
        own = _signatures([query], np.array([len(query)]))
        differing = np.bitwise_count(self._bits ^ own)
        apart: NDArray[np.int32] = np.add(differing[0], differing[1], dtype=np.int32)
        return apart

    def _scored(self, query: str, ids: Ids, scorer: Any, least: float) -> Scores:
        texts = [self._texts[at] for at in ids.tolist()]
        found = process.cdist([query], texts, scorer=scorer, score_cutoff=least, dtype=np.float32)
        scores: Scores = found[0]
        return scores


def _signatures(texts: Sequence[str], lengths: NDArray[Any]) -> NDArray[np.uint64]:
    """Return two words of bits for each text: how often it has each sign, as far as bits go."""
    signs = np.zeros(128, dtype=np.intp)
    signs[[ord(sign) for sign in SIGNS]] = np.arange(len(SIGNS))
    typed = signs[np.frombuffer("".join(texts).encode(), dtype=np.uint8)]
    owners = np.repeat(np.arange(len(texts)), lengths)
    width = len(SIGNS)
    counts = np.bincount(owners * width + typed, minlength=len(texts) * width)
    counts = counts.reshape(len(texts), width)
    bits = np.zeros((len(texts), 128), dtype=np.bool_)
    bits[:, : len(BITS)] = counts[:, BITS[:, 0]] >= BITS[:, 1]
    return np.ascontiguousarray(np.packbits(bits, axis=1).view(np.uint64).T)


class Beginnings:
    """Normal texts by each of their words on to the end: which has a word that begins so."""

    def __init__(self, texts: Sequence[str]) -> None:
        tails = sorted(
            (text[at:], owner, not at)
            for owner, text in enumerate(texts)
            for at in (0, *(space.end() for space in re.finditer(" ", text)))
        )
        self._tails = [tail for tail, _, _ in tails]
        self._owners = np.array([owner for _, owner, _ in tails], dtype=np.intp)
        self._first = np.array([first for _, _, first in tails], dtype=np.bool_)

    def of(self, query: str) -> tuple[Ids, NDArray[np.bool_]]:
        """Return the texts that have the query at the beginning of a word; if it is their first."""
        low, high = self._range(query, 0, len(self._tails))
        return self._owners[low:high], self._first[low:high]

    def nearly(self, query: str) -> Ids:
        """Return the texts that have the query, with one letter of it wrong, so; some twice."""
        found = [self._owners[low:high] for low, high in self._slipped(query)]
        return np.concatenate([self._owners[:0], *found])

    def _range(self, beginning: str, low: int, high: int) -> tuple[int, int]:
        first = bisect_left(self._tails, beginning, low, high)
        if first == high or not self._tails[first].startswith(beginning):
            return first, first
        return first, bisect_left(self._tails, beginning + LAST, first, high)

    def _slipped(self, query: str) -> Iterator[tuple[int, int]]:
        """Yield where the tails are that begin with the query but for one letter of it."""
        low, high = 0, len(self._tails)
        for at in range(len(query)):
            right, rest = query[:at], query[at + 1 :]
            tries = [
                (low, high, right + rest),
                (low, high, right + rest[:1] + query[at] + rest[1:]),
            ]
            for first, end, sign in self._signs(right, low, high):
                tries.append((first, end, right + sign + rest))
                tries.append((first, end, right + sign + query[at:]))
            for first, end, beginning in tries:
                found = self._range(beginning, first, end)
                if found[0] < found[1]:
                    yield found
            low, high = self._range(query[: at + 1], low, high)
            if low == high:
                return

    def _signs(self, right: str, low: int, high: int) -> Iterator[tuple[int, int, str]]:
        """Yield the signs that follow a beginning, each with where its tails are."""
        first = bisect_left(self._tails, right + " ", low, high)
        while first < high:
            sign = self._tails[first][len(right)]
            end = bisect_left(self._tails, right + sign + LAST, first, high)
            yield first, end, sign
            first = end
