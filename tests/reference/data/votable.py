"""Checks that astropy finds nothing wrong with a VOTable that was exported, and that its probabilities add up to 1.

Run with astropy installed, on a table made by `tuning-fork data export DIR --run RUN --out FILE.vot`:
python tests/reference/data/votable.py FILE.vot
"""

import io
import sys

import numpy as np
from astropy.io.votable import validate
from astropy.table import Table

report = io.StringIO()
assert validate(sys.argv[1], output=report), report.getvalue()
table = Table.read(sys.argv[1], format="votable")
probabilities = np.array([np.ma.filled(table[name], np.nan) for name in table.colnames if name.startswith("p_")])
if len(probabilities):
    sums = np.nansum(probabilities, axis=0)
    assert np.all((np.abs(sums - 1) < 1e-5) | (sums == 0)), sums
print(f"{len(table)} rows, {len(table.colnames)} columns, no violations")
