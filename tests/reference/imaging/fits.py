"""FITS files and what astropy makes of them, for tests/it/data/fits.rs.

    python fits.py            # writes fits/*.fits and fits.safetensors beside itself; needs astropy, numpy, safetensors

"<file>" is the image's numbers with BSCALE, BZERO and BLANK applied, rows from the top. "limits/<interval>" are those of the first
plane of sky.fits by astropy.visualization, "levels/<interval>/<curve>" its grey levels, "legacy" the Legacy Surveys' colours
(Lupton et al. 2004 with the viewer's scales), stated here once more in numpy.
"""
import pathlib
import warnings

import numpy as np
from astropy.io import fits
from astropy.visualization import (AsinhStretch, LinearStretch, LogStretch, ManualInterval, MinMaxInterval, PercentileInterval,
                                   SqrtStretch, ZScaleInterval)
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "fits"


def sky(rng):
    """A galaxy and two stars in three bands, nanomaggies, with noise and a missing pixel."""
    y, x = np.mgrid[:32, :40]
    planes = []
    for flux, size in [(1.0, 4.0), (2.0, 4.5), (3.0, 5.0)]:
        r = np.hypot(x - 19.3, (y - 15.1) / 0.6)
        plane = 0.6 * flux * np.exp(-r / size) + rng.normal(0, 0.01, r.shape)
        for cx, cy in [(5, 27), (33, 4)]:
            plane += 2 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 2)
        planes.append(plane)
    cube = np.array(planes, dtype=np.float32)
    cube[0, 3, 7] = np.nan
    return cube


def main():
    warnings.simplefilter("ignore")
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(5)
    ramp = np.arange(12 * 10).reshape(10, 12)
    with_nan = (ramp / 7 - 3).astype(np.float32)
    with_nan[2, 5] = np.nan
    cube = sky(rng)
    write = lambda name, hdus: fits.HDUList(hdus).writeto(FOLDER / f"{name}.fits", overwrite=True, output_verify="silentfix")
    write("u8", [fits.PrimaryHDU(ramp.astype(np.uint8))])
    scaled = fits.PrimaryHDU((ramp * 20 - 1000).astype(np.int16))
    scaled.header["BSCALE"], scaled.header["BZERO"], scaled.header["BLANK"] = 0.5, 100.0, -980
    write("i16_scaled", [scaled])
    write("u16", [fits.PrimaryHDU((ramp * 500).astype(np.uint16))])
    write("i32", [fits.PrimaryHDU((ramp * 1_000_000).astype(np.int32))])
    write("f32_extension", [fits.PrimaryHDU(), fits.ImageHDU(with_nan, name="SCI")])
    one = fits.PrimaryHDU((ramp[None] ** 2 / 3).astype(np.float64))
    one.header["FILTER"] = "r DECam"
    write("f64_one_plane", [one])
    write("sky", [fits.PrimaryHDU(cube)])
    write("rice", [fits.PrimaryHDU(), fits.CompImageHDU((ramp * 3).astype(np.int16), compression_type="RICE_1")])
    write("gzip", [fits.PrimaryHDU(), fits.CompImageHDU(with_nan, compression_type="GZIP_2", quantize_level=0)])
    write("hcompress", [fits.PrimaryHDU(), fits.CompImageHDU((ramp * 3).astype(np.int32), compression_type="HCOMPRESS_1", tile_shape=(10, 12))])
    write("plio", [fits.PrimaryHDU(), fits.CompImageHDU((ramp * 3).astype(np.int16), compression_type="PLIO_1")])
    write("gzip_1", [fits.PrimaryHDU(), fits.CompImageHDU((ramp * 1000).astype(np.int32), compression_type="GZIP_1")])
    # floating-point numbers are quantised: without dither, with it, and with it but zeros kept
    smooth = (ramp * 0.37 + rng.normal(0, 1, ramp.shape)).astype(np.float32)
    smooth[3, 4] = 0
    for name, method in [("rice_quantised", -1), ("rice_dithered", 1), ("rice_dithered_zeros", 2)]:
        write(name, [fits.PrimaryHDU(), fits.CompImageHDU(smooth, compression_type="RICE_1", quantize_level=16, quantize_method=method, dither_seed=7)])
    # what cannot be shown
    write("bad_table", [fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("RA", "D", array=np.arange(3.0))])])
    write("bad_cube", [fits.PrimaryHDU(np.zeros((5, 4, 3), np.float32))])
    write("bad_line", [fits.PrimaryHDU(np.zeros(30, np.float32))])
    write("bad_nan", [fits.PrimaryHDU(np.full((4, 4), np.nan, np.float32))])
    write("constant", [fits.PrimaryHDU(np.full((4, 4), 7.5, np.float32))])

    out = {}
    for path in sorted(FOLDER.glob("*.fits")):
        if path.stem.startswith("bad_"):
            continue
        with fits.open(path) as hdus:
            data = next(hdu.data for hdu in hdus if hdu.data is not None)
            out[path.stem] = np.ascontiguousarray(data[..., ::-1, :], dtype=np.float32)
    plane = out["sky"][0]
    finite = plane[np.isfinite(plane)]
    intervals = {"minmax": MinMaxInterval(), "99.5": PercentileInterval(99.5), "90": PercentileInterval(90), "zscale": ZScaleInterval()}
    curves = {"linear": LinearStretch(), "log": LogStretch(), "sqrt": SqrtStretch(), "asinh": AsinhStretch()}
    for name, interval in intervals.items():
        # astropy 8 samples what is not finite away itself; the percentile does not
        low, high = interval.get_limits(finite)
        out[f"limits/{name}"] = np.array([low, high], dtype=np.float64)
        for curve, stretch in curves.items():
            if name in ("99.5", "zscale"):
                grey = stretch(ManualInterval(low, high)(plane.astype(np.float64), clip=True))
                out[f"levels/{name}/{curve}"] = np.where(np.isfinite(grey), np.floor(grey * 255 + 0.5), 0).astype(np.uint8)
    g, r, z = (np.nan_to_num(band.astype(np.float64)) for band in out["sky"])
    scaled = [z * 2.2 + 0.03, r * 3.4 + 0.03, g * 6.0 + 0.03]
    intensity = sum(np.maximum(band, 0) for band in scaled) / 3
    factor = np.arcsinh(20 * intensity) / np.sqrt(20) / np.where(intensity == 0, 1e-6, intensity)
    out["legacy"] = np.floor(np.clip(np.stack([band * factor for band in scaled], axis=-1), 0, 1) * 255 + 0.5).astype(np.uint8)
    save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, HERE / "fits.safetensors")


if __name__ == "__main__":
    main()
