"""How much may be uploaded. Each limit holds before anything is unpacked, and while it is, since archives can lie."""

from __future__ import annotations

from lib.core.facts.limits import Count

MB = 2**20

FILE_MB = Count(
    50,
    "Megabytes of one file",
    "As it is sent, packed or not. A file is held in memory until it is taken, for every visitor who sends one.",
)
AT_ONCE_MB = Count(
    100,
    "Megabytes sent at once",
    "Of one session, until they are taken: two of the largest files.",
)
WAITING_MB = Count(
    200,
    "Megabytes that wait to be taken",
    "Of all sessions of one process of the app: they wait in memory, and anybody who can open the app may send them.",
)
TOTAL_MB = Count(
    300,
    "Megabytes of all files, unpacked",
    "What one session may have on the disk. Logs of a hundred long trainings are less; weights of models are more.",
)
EVERYBODY_MB = Count(
    3_000,
    "Megabytes of all sessions together",
    "Of one process of the app: it shares its disk with others.",
)
MOST_FILES = Count(
    5_000,
    "Files and folders of all archives",
    "Those of a sweep with all its checkpoints. Each costs a look, whatever it holds.",
)
MOST_DROPPED = Count(
    200,
    "Files chosen at once",
    "More are packed into one archive, which also keeps their folders.",
)
MOST_DEPTH = Count(
    20,
    "Folders inside each other",
    "Programs that log make less than ten.",
)
LONGEST_NAME = Count(
    200,
    "Bytes of a name",
    "File systems hold 255, and some of them are for telling two of one name apart.",
)
LONGEST_PATH = Count(
    700,
    "Bytes of a path",
    "With the folder that it is put into it stays below what systems open.",
)
MOST_RATIO = Count(
    200,
    "Times that an archive may grow",
    "Logs grow 5 to 50 times. What grows more is made to fill a disk.",
)

RATIO_FROM_BYTES = 10 * MB
"""What unpacks to less may be packed as tightly as it likes."""

FILE_BYTES, TOTAL_BYTES, EVERYBODY_BYTES = FILE_MB * MB, TOTAL_MB * MB, EVERYBODY_MB * MB
AT_ONCE_BYTES, WAITING_BYTES = AT_ONCE_MB * MB, WAITING_MB * MB

SAID = (
    *(FILE_MB, AT_ONCE_MB, WAITING_MB, TOTAL_MB, EVERYBODY_MB),
    *(MOST_FILES, MOST_DROPPED, MOST_DEPTH, LONGEST_NAME, LONGEST_PATH, MOST_RATIO),
)
"""All of them, as they are said beforehand."""
