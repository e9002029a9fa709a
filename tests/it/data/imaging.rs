//! Picture files of every kind against Pillow's reading of them, scaling against Pillow's, and files that are no pictures.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::tempdir;
use tuning_fork::imaging::{self, Image, ImagingError};

use super::common::{random_image, reference};

#[test]
fn every_kind_of_picture_becomes_the_rgb_that_pillow_reads() {
    let lines = fs::read_to_string(reference("decoded.txt")).unwrap();
    let mut seen = 0;
    for line in lines.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, width, height, digits] = words[..] else { panic!("four words a line") };
        let expected: Vec<u8> = (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap()).collect();
        let image = imaging::open(&reference(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(imaging::check(&reference(name)).unwrap(), (image.width(), image.height()), "{name}");
        assert_eq!((image.width().to_string(), image.height().to_string()), (width.to_owned(), height.to_owned()), "{name}");
        // JPEG decoders round differently, and so do two ways of compositing.
        let tolerance = match Path::new(name).extension().unwrap().to_str().unwrap() {
            "jpg" => 6,
            _ if name.contains('a') && name.contains("a8") => 1,
            _ => 0,
        };
        let worst = image.pixels().iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= tolerance, "{name}: off by {worst}");
        assert_eq!(imaging::decode(&fs::read(reference(name)).unwrap()).unwrap(), image, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 17);
}

#[test]
fn lanczos_is_pillows_to_the_bit() {
    let source = imaging::open(&reference("source.png")).unwrap();
    for (width, height) in [(16, 16), (53, 9), (7, 37), (1, 1), (100, 80), (64, 20)] {
        let expected = imaging::open(&reference(&format!("lanczos_{width}x{height}.png"))).unwrap();
        let scaled = source.resize(width, height);
        let different = scaled.pixels().iter().zip(expected.pixels()).filter(|(a, b)| a != b).count();
        assert_eq!((different, scaled.pixels().len()), (0, expected.pixels().len()), "{width} x {height}");
    }
    assert!(source.resize(53, 37) == source, "the same size changes nothing");
}

#[test]
fn scaling_keeps_a_uniform_picture_uniform() {
    let grey = Image::new(31, 17, vec![77; 31 * 17 * 3]).unwrap();
    for (width, height) in [(1, 1), (5, 90), (200, 3), (0, 4)] {
        let scaled = grey.resize(width, height);
        assert_eq!((scaled.width(), scaled.height()), (width.max(1), height));
        assert!(scaled.pixels().iter().all(|&v| v == 77), "{width} x {height}");
    }
    let dot = Image::new(1, 1, vec![1, 2, 3]).unwrap().resize(4, 2);
    assert_eq!(dot.pixels(), [1, 2, 3].repeat(8));
}

#[test]
fn a_thumbnail_fits_its_square_in_proportion() {
    let size = |width, height, side| {
        let image = random_image(width, height, 0).thumbnail(side);
        (image.width(), image.height())
    };
    assert_eq!(size(200, 100, 50), (50, 25));
    assert_eq!(size(100, 200, 50), (25, 50));
    assert_eq!(size(30, 20, 50), (30, 20));
    assert_eq!(size(400, 1, 50), (50, 1));
    assert_eq!(size(3, 3, 0), (1, 1));
}

#[test]
fn a_written_picture_reads_back_and_leaves_nothing_else() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("picture.png");
    for seed in 0..2 {
        let image = random_image(13, 7, seed);
        imaging::write_png(&path, &image).unwrap();
        assert!(imaging::open(&path).unwrap() == image);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file stays");
    let missing = imaging::write_png(&dir.path().join("no/such/folder.png"), &random_image(1, 1, 0));
    assert!(matches!(missing, Err(ImagingError::Write(_))), "{missing:?}");
    assert!(matches!(imaging::write_png(Path::new("/"), &random_image(1, 1, 0)), Err(ImagingError::Write(_))));
}

#[test]
fn one_pixel_is_a_picture() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("dot.png");
    imaging::write_png(&path, &Image::new(1, 1, vec![9, 8, 7]).unwrap()).unwrap();
    assert_eq!(imaging::open(&path).unwrap().pixels(), [9, 8, 7]);
    assert_eq!(imaging::check(&path).unwrap(), (1, 1));
}

#[test]
fn a_huge_picture_is_refused_before_it_is_decoded() {
    // The header of a PNG of 20,000 x 20,000 pixels and no data: only a decoder that looks at the size first says so.
    let mut png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec();
    png.extend(20_000u32.to_be_bytes());
    png.extend(20_000u32.to_be_bytes());
    png.extend([8, 2, 0, 0, 0]);
    png.extend(crc32(&png[12..]).to_be_bytes());
    png.extend(b"\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e\x00\x00\x00\x00IEND\xae\x42\x60\x82");
    let dir = tempdir().unwrap();
    let path = dir.path().join("huge.png");
    fs::write(&path, &png).unwrap();
    for error in [imaging::decode(&png).unwrap_err(), imaging::open(&path).unwrap_err(), imaging::check(&path).unwrap_err()] {
        assert!(matches!(error, ImagingError::TooLarge { width: 20_000, height: 20_000 }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "a picture of 20000 x 20000 pixels is over the limit of 100 million pixels; crop it or scale it down first"
        );
    }
}

/// CRC-32 as PNG has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |c, _| (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg())))
}

#[test]
fn what_is_no_picture_is_refused_with_advice() {
    let dir = tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let cases: [(PathBuf, &str); 5] = [
        (file("empty.png", b""), "the file is empty"),
        (file("text.png", b"Once upon a time"), "not a PNG, JPEG, TIFF, WebP or FITS picture"),
        (file("short.jpg", b"\xff"), "not a PNG, JPEG, TIFF, WebP or FITS picture"),
        (file("moving.gif", b"GIF89a\x01\x00\x01\x00"), "not a PNG, JPEG, TIFF, WebP or FITS picture"),
        (dir.path().join("missing.png"), "cannot be read"),
    ];
    for (path, words) in cases {
        for result in [imaging::open(&path).map(drop), imaging::check(&path).map(drop)] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains(words), "{}: {message}", path.display());
        }
    }
    let long = dir.path().join("long.png");
    fs::File::create(&long).unwrap().set_len(2 << 30).unwrap();
    assert!(matches!(imaging::open(&long), Err(ImagingError::TooLong { .. })));
    assert!(imaging::open(dir.path()).is_err() && imaging::check(dir.path()).is_err(), "a folder is no picture");
    assert!(matches!(imaging::decode(&[]), Err(ImagingError::Empty)));
    assert!(Image::new(0, 5, vec![]).is_err() && Image::new(usize::MAX, usize::MAX, vec![0; 3]).is_err());
}

#[test]
fn a_file_that_broke_off_is_noticed() {
    let dir = tempdir().unwrap();
    for name in ["rgb8.png", "rgb8.webp", "full_chroma.jpg", "progressive.jpg"] {
        let bytes = fs::read(reference(name)).unwrap();
        let path = dir.path().join(name);
        for kept in [bytes.len() / 2, bytes.len() - 20, 30] {
            fs::write(&path, &bytes[..kept]).unwrap();
            for error in [imaging::check(&path).map(drop), imaging::open(&path).map(drop)] {
                let error = error.expect_err("half a file");
                assert!(matches!(error, ImagingError::Damaged(_)), "{name} cut to {kept}: {error:?}");
            }
        }
    }
}

#[test]
fn damaged_files_give_errors_and_never_a_panic() {
    for name in ["rgb8.png", "palette.png", "rgb8.webp", "rgb8.tif", "grey16.tif", "baseline.jpg", "progressive.jpg", "cmyk.jpg"] {
        let good = fs::read(reference(name)).unwrap();
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0xff;
            drop(imaging::decode(&bytes));
            drop(imaging::decode(&good[..at]));
        }
    }
}

#[test]
fn the_extension_tells_a_picture() {
    for name in ["a.png", "a.PNG", "b.Jpeg", "c.jpg", "d.tif", "e.TIFF", "f.webp", ".g.png", "h.fits", "i.FTS"] {
        assert!(imaging::is_picture(Path::new(name)), "{name}");
    }
    for name in ["a", "a.txt", "png", ".png", "a.png.txt", "a.gif"] {
        assert!(!imaging::is_picture(Path::new(name)), "{name}");
    }
}
