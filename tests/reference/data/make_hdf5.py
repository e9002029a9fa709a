"""Writes the small HDF5 files beside it with h5py, in every storage that h5py offers, and what must be read from them.

    python make_hdf5.py            (h5py 3, numpy; no random numbers, so the pixels are the same every time)

Each picture file holds the same 11 pictures of 12 x 10 pixels. Pixel (n, y, x, c) is given by the formula in `pictures`, which
the test repeats.
"""

import pathlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent
N, H, W = 11, 12, 10


def pictures(n=N, h=H, w=W):
    i, y, x, c = np.ogrid[:n, :h, :w, :3]
    return ((i * 31 + y * 7 + x * 3 + c * 101 + (x * y) // 5) % 256).astype("u1")


def labels(n=N):
    return (np.arange(n) * 3 % 10).astype("u1")


def write(name, images, ans, libver=None, storage=None, columns=True, **more):
    with h5py.File(HERE / f"{name}.h5", "w", libver=libver, userblock_size=more.pop("userblock", None)) as file:
        if images is not None:
            file.create_dataset("images", data=images, **(storage or {}))
        if ans is not None:
            file["ans"] = ans
        if columns:
            n = len(labels())
            file["ra"] = 10.0 + 0.5 * np.arange(n)
            file["dec"] = (-5.0 - 0.25 * np.arange(n)).astype("f4")
            file["redshift"] = np.where(np.arange(n) == 2, np.nan, 0.01 * np.arange(n))
            file["pxscale"] = np.full(n, 0.262).astype(">f8")


def good():
    chunks = (4, 5, 5, 3)
    storages = {
        "contiguous": {},
        "chunked": dict(chunks=chunks),
        "gzip": dict(chunks=chunks, compression="gzip"),
        "gzip_shuffle": dict(chunks=chunks, compression="gzip", shuffle=True, fletcher32=True),
        "lzf": dict(chunks=chunks, compression="lzf"),
        "unlimited": dict(chunks=(3, 4, 10, 1), compression="gzip", maxshape=(None, H, W, 3)),
        "unlimited_twice": dict(chunks=chunks, compression="gzip", maxshape=(None, None, W, 3)),
        "one_chunk": dict(chunks=(N, H, W, 3), compression="gzip"),
    }
    for name, storage in storages.items():
        write(f"{name}_earliest", pictures(), labels(), libver="earliest", storage=storage)
        write(f"{name}_latest", pictures(), labels(), libver="latest", storage=storage)
    write("v110_unlimited_twice", pictures(), labels(), libver=("v110", "v110"), storage=storages["unlimited_twice"])
    write("user_block", pictures(), labels(), userblock=1024)
    write("wide_labels", pictures(), labels().astype(">i8"), columns=False)
    write("twelve_classes", pictures(12), np.arange(12, dtype="i4"), columns=False)
    write("sdss", pictures(3, 69, 69), labels(3), columns=False, storage=dict(chunks=True, compression="gzip"))


def tiles():
    """200 pictures of 256 x 256 in chunks of all pictures. Only a spot of 4 x 4 pixels differs from the fill value, at the
    corner of four of the tiles that the import reads."""
    for name, chunk in (("tiles_of_rows", (200, 16, 16, 1)), ("tiles_of_columns", (200, 256, 64, 1))):
        with h5py.File(HERE / f"{name}.h5", "w") as file:
            images = file.create_dataset("images", (200, 256, 256, 3), "u1", chunks=chunk, compression="gzip", fillvalue=7)
            n, y, x, c = np.ogrid[:200, 206:210, 190:194, :3]
            images[:, 206:210, 190:194, :] = ((n + 3 * y + 5 * x + 50 * c) % 256).astype("u1")
            file["ans"] = (np.arange(200) % 10).astype("u1")


def bad():
    write("bad_no_ans", pictures(), None)
    write("bad_no_images", None, labels())
    write("bad_images_float", pictures()[:2].astype("f4"), labels(2), columns=False)
    write("bad_images_int8", pictures()[:2].astype("i1"), labels(2), columns=False)
    write("bad_images_channels_first", pictures().transpose(0, 3, 1, 2), labels(), columns=False)
    write("bad_images_grey", pictures()[..., 0], labels(), columns=False)
    write("bad_images_none", pictures()[:0], labels(0), columns=False)
    write("bad_ans_length", pictures(), labels(N - 1), columns=False)
    write("bad_ans_shape", pictures(), np.eye(N, 10, dtype="u1"), columns=False)
    write("bad_ans_float", pictures(), labels().astype("f8"), columns=False)
    write("bad_ans_negative", pictures(), np.where(np.arange(N) == 4, -1, labels().astype("i2")), columns=False)
    write("bad_ans_gap", pictures(), np.where(np.arange(N) == 4, 255, labels()).astype("u1"), columns=False)
    write("bad_ans_huge", pictures(), np.where(np.arange(N) == 4, np.uint64(2**64 - 1), labels().astype("u8")), columns=False)
    write("bad_redshift_length", pictures(), labels(), columns=False)
    with h5py.File(HERE / "bad_redshift_length.h5", "a") as file:
        file["redshift"] = np.zeros(3)
    write("bad_ra_text", pictures(), labels(), columns=False)
    with h5py.File(HERE / "bad_ra_text.h5", "a") as file:
        file["ra"] = np.array([b"12h30m"] * N)
    # A chunk of 64 MB that was never written: the file is small, reading it would not be.
    with h5py.File(HERE / "bad_chunk.h5", "w") as file:
        file.create_dataset("images", (400, 256, 256, 3), "u1", chunks=(400, 256, 256, 3), compression="gzip")
        file["ans"] = np.zeros(400, "u1")


if __name__ == "__main__":
    good()
    tiles()
    bad()
