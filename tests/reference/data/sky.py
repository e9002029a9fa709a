"""Writes sky.json: the size of an arcsecond at some redshifts, and pairs of positions closer than 2 arcsec, by astropy.

Run with astropy and numpy installed: python tests/reference/data/sky.py
"""

import json
from pathlib import Path

import astropy
import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord, search_around_sky
from astropy.cosmology import FlatLambdaCDM

REDSHIFTS = [1e-4, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 1.6, 3.0, 8.0, 20.0]

cosmology = FlatLambdaCDM(H0=70, Om0=0.3)
kpc = [(cosmology.kpc_proper_per_arcmin(z).to_value(u.kpc / u.arcmin) / 60) for z in REDSHIFTS]

rng = np.random.default_rng(1)
ra = np.concatenate([[359.9999, 0.0001, 120.0, 300.0, 10.0, 10.0], rng.uniform(0, 360, 40)])
dec = np.concatenate([[0.0, 0.0, 89.9999, 89.9999, -45.0, -45.0], rng.uniform(-90, 90, 40)])
# neighbours of some of them, up to 4 arcsec away
which = rng.integers(0, len(ra), 60)
near = SkyCoord(ra[which] * u.deg, dec[which] * u.deg).directional_offset_by(
    rng.uniform(0, 360, 60) * u.deg, rng.uniform(0, 4, 60) * u.arcsec
)
ra, dec = np.concatenate([ra, near.ra.deg]), np.concatenate([dec, near.dec.deg])
sky = SkyCoord(ra * u.deg, dec * u.deg)
first, second, apart, _ = search_around_sky(sky, sky, 2 * u.arcsec)
pairs = sorted((int(a), int(b), float(d)) for a, b, d in zip(first, second, apart.arcsec) if a < b)

out = {
    "made_by": f"astropy {astropy.__version__}",
    "redshift": REDSHIFTS,
    "kpc_per_arcsec": kpc,
    "ra": ra.tolist(),
    "dec": dec.tolist(),
    "pairs": pairs,
}
Path(__file__).with_name("sky.json").write_text(json.dumps(out, indent=1) + "\n")
