"""What a field is to its table: part of the key, how two answers about it are merged, or no column at all."""

from __future__ import annotations

from enum import Enum


class Mark(Enum):
    """What a field is to its table, inside ``Annotated``; without a mark a field is a column merged as ``LATEST``."""

    KEY = "part of the table's primary key"
    LATEST = "the newer answer wins, but null never replaces a value"
    FIRST = "the first known value stays"
    COUNT = "the newer answer wins, but null or zero never replaces a count"
    STATE = "the better state wins, see MetaState"
    CLOSEST = "the closer tie wins: showcase, then gallery, then detected"
    GENERATION = "part of the generation data: replaced together when the newer answer brings ``meta``, else kept"
    EARLIEST = "the earlier time wins: some routes give a later one, such as that of publication, under the same name"
    LONGEST = "the longer list wins: some routes name only a part; of two as long the newer"
    ALWAYS = "the newer answer wins, null included"
    NO_COLUMN = "carried by the item for feeds, not a column"


Key = Mark.KEY
First = Mark.FIRST
Count = Mark.COUNT
State = Mark.STATE
Closest = Mark.CLOSEST
Generation = Mark.GENERATION
Earliest = Mark.EARLIEST
Longest = Mark.LONGEST
Always = Mark.ALWAYS
NoColumn = Mark.NO_COLUMN
