//! Maps as drawings and files: where they lie on the picture, what the files say, and that they decode.

use std::collections::HashMap;
use std::sync::Arc;

use tuning_fork::explain::{Content, Explainer, Method, Request, Scale, Scene, Style, npy, overlay, strongest};
use tuning_fork::imaging::{ColourMap, Fit, Frame, Image};
use tuning_fork::nn::Architecture;

use super::maps::classifier;
use super::noise;

/// Size, bytes and texts of a PNG file.
pub fn read(bytes: &[u8]) -> ((u32, u32), Vec<u8>, HashMap<String, String>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG file");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut pixels).expect("a picture");
    reader.finish().expect("its end");
    let info = reader.info();
    let texts = info.utf8_text.iter().map(|chunk| (chunk.keyword.clone(), chunk.get_text().expect("a text"))).collect();
    ((info.width, info.height), pixels, texts)
}

fn explainer(picture: &Image, frame: Frame) -> Explainer {
    Explainer::new(classifier(Architecture::Compact), &picture.crop(frame), false).expect("a forward pass")
}

#[test]
fn an_overlay_covers_what_the_network_saw_and_nothing_else() {
    let picture = noise(4, 90, 60);
    let frame = Frame { x: 20, y: -10, width: 40, height: 40 };
    let explainer = explainer(&picture, frame);
    let request = Request { signed: true, ..Request::new(Method::HiResCam) };
    let explanation = explainer.explain(&request).expect("a map");
    let style = Style { opacity: 1.0, ..Style::default() };
    let drawn = overlay(&picture, frame, &explanation, &style);
    assert_eq!((drawn.width(), drawn.height()), (90, 60));
    let at = |image: &Image, x: usize, y: usize| image.pixels()[(y * image.width() + x) * 3..][..3].to_vec();
    let (low, high) = style.range(&explanation);
    let map = explanation.map.upsample(40, 40);
    for (x, y) in [(0, 0), (19, 5), (60, 5), (30, 30), (89, 59)] {
        assert_eq!(at(&drawn, x, y), at(&picture, x, y), "outside: {x}, {y}");
    }
    for (x, y) in [(20, 0), (40, 10), (59, 29)] {
        let value = map.values[(y + 10) * 40 + x - 20];
        assert_eq!(at(&drawn, x, y), ColourMap::Diverging.at((value - low) / (high - low)), "inside: {x}, {y}");
    }
    let transparent = overlay(&picture, frame, &explanation, &Style { opacity: 0.0, ..Style::default() });
    assert_eq!(transparent, picture);
    let large = overlay(&picture, frame, &explanation, &Style { zoom: 3, contours: vec![0.5], ..Style::default() });
    assert_eq!((large.width(), large.height()), (270, 180));
}

#[test]
fn files_say_what_they_are() {
    let picture = noise(5, 64, 64);
    let frame = Fit::Stretch.frame(64, 64);
    let explainer = explainer(&picture, frame);
    let scene = Scene { name: "M 51 – été.png", picture: &picture, frame, explainer: &explainer };
    let request = Request { class: Some(3), against: Some(4), signed: true, ..Request::new(Method::Cam) };
    let explanation = explainer.explain(&request).expect("a map");
    for content in Content::ALL {
        let style = Style { zoom: 2, ..Style::default() };
        let bytes = scene.png(&request, &style, content).expect("a file");
        assert_eq!(bytes, scene.png(&request, &style, content).expect("a file"), "the same bytes every time");
        let ((width, height), _, texts) = read(&bytes);
        assert!(width >= 128 && height >= 128);
        if content == Content::Overlay {
            assert_eq!((width, height), (128, 128));
        }
        assert_eq!(texts["Class"], "class 3 and not class 4");
        assert_eq!(texts["Method"], "CAM");
        assert_eq!(texts["Layer"], "block5.pool (2 x 2 cells, 512 maps)");
        assert_eq!(texts["Score"].parse::<f64>().expect("a number").to_bits(), explanation.score.to_bits());
        assert_eq!(texts["Picture"], "M 51 – été.png");
        assert!(texts["Software"].ends_with(tuning_fork::VERSION) && texts["Model"].starts_with("compact 64 x 64, 10 classes"));
    }
}

#[test]
fn bare_maps_keep_their_numbers() {
    let picture = noise(6, 64, 64);
    let frame = Fit::Stretch.frame(64, 64);
    let explainer = explainer(&picture, frame);
    let scene = Scene { name: "x", picture: &picture, frame, explainer: &explainer };
    let request = Request { signed: true, ..Request::new(Method::Cam) };
    let explanation = explainer.explain(&request).expect("a map");
    let bytes = npy(&explanation).expect("a file");
    let array: ndarray::Array2<f32> = ndarray_npy::ReadNpyExt::read_npy(std::io::Cursor::new(bytes)).expect("an array");
    assert_eq!((array.dim(), array.into_raw_vec_and_offset().0), ((2, 2), explanation.map.values.clone()));

    let ((width, height), pixels, texts) = read(&scene.grey16(&explanation).expect("a file"));
    assert_eq!((width, height), (64, 64));
    let number = |key: &str| texts[key].parse::<f32>().expect("a number");
    let (low, high) = (number("Lowest"), number("Highest"));
    for (pixel, value) in pixels.as_chunks::<2>().0.iter().zip(explanation.map.upsample(64, 64).values) {
        let read = low + (high - low) * f32::from(u16::from_be_bytes(*pixel)) / 65535.0;
        assert!((read - value).abs() < 1e-4 * (high - low), "{read} {value}");
    }
}

#[test]
fn where_nothing_speaks_for_the_class_the_picture_stays_and_the_legend_says_so() {
    let picture = noise(7, 64, 64);
    let frame = Fit::Stretch.frame(64, 64);
    let explainer = explainer(&picture, frame);
    let mut explanation = explainer.explain(&Request::new(Method::Cam)).expect("a map");
    explanation.map.values.fill(0.0);
    let scene = Scene { name: "x", picture: &picture, frame, explainer: &explainer };
    assert!(!explanation.has_positive());
    assert!(scene.legend(&explanation, &Style::default()).iter().any(|line| line.starts_with("No positive evidence")));
    assert_eq!(overlay(&picture, frame, &explanation, &Style::default()), picture);
    // a figure of it can be drawn
    assert!(scene.figure(&explanation, &Style::default(), true).width() > 128);
}

#[test]
fn a_map_of_very_few_cells_is_called_too_coarse() {
    let picture = noise(9, 64, 64);
    let explainer = explainer(&picture, Fit::Stretch.frame(64, 64));
    let scene = Scene { name: "x", picture: &picture, frame: Fit::Stretch.frame(64, 64), explainer: &explainer };
    let warns = |request: &Request| {
        let legend = scene.legend(&explainer.explain(request).expect("a map"), &Style::default());
        legend.iter().any(|line| line.starts_with("Only 2 x 2 cells"))
    };
    assert!(warns(&Request::new(Method::Cam)));
    assert!(!warns(&Request { layer: Some("block3.relu".into()), ..Request::new(Method::LayerCam) }));
}

#[test]
fn sheets_show_every_class_on_one_scale() {
    let picture = noise(8, 100, 50);
    let frame = Fit::Pad.frame(100, 50);
    let explainer = explainer(&picture, frame);
    let scene = Scene { name: "x", picture: &picture, frame, explainer: &explainer };
    let tiles = scene.classes(&Request::new(Method::Cam)).expect("maps");
    assert_eq!(tiles.len(), 10);
    assert!(tiles[0].0.contains(" %"));
    let names: Vec<String> = scene.methods(&Request::new(Method::Cam)).expect("maps").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["CAM", "Grad-CAM", "HiResCAM", "Grad-CAM++", "LayerCAM", "XGrad-CAM", "Eigen-CAM", "Finer-CAM"]);
    let other = Explainer::new(Arc::clone(explainer.classifier()), &picture, true).expect("eight passes");
    assert!(other.averaged());
}

#[test]
fn all_classes_share_a_scale_when_asked() {
    let picture = noise(8, 64, 64);
    let frame = Fit::Stretch.frame(64, 64);
    let explainer = explainer(&picture, frame);
    let scene = Scene { name: "x", picture: &picture, frame, explainer: &explainer };
    for signed in [false, true] {
        let request = Request { signed, ..Request::new(Method::Cam) };
        let tiles = scene.classes(&request).expect("maps");
        let largest = tiles.iter().map(|(_, explanation)| strongest(explanation)).fold(0.0, f32::max);
        let common = Style { scale: Scale::Common, ..Style::default() };
        let weakest = Request { class: Some(tiles.last().expect("classes").1.class), ..request.clone() };
        for request in [&request, &weakest] {
            assert_eq!(scene.settled(request, &common).expect("a scale").limit, Some(largest));
            assert_eq!(scene.settled(request, &Style::default()).expect("a scale").limit, None);
        }
        if signed {
            // a map without any positive evidence has no scale to tell
            let explanation = explainer.explain(&weakest).expect("a map");
            let said = |style: &Style| scene.legend(&explanation, &scene.settled(&weakest, style).expect("a scale")).join("; ");
            assert!(said(&common).contains("the same for all classes") && said(&Style::default()).contains("this map's own"));
        }
        // sheets: of classes a common scale unless it is not wanted, of methods never
        let own = Style { scale: Scale::Own, ..Style::default() };
        assert_eq!(Style::default().for_sheet(Content::Classes, &tiles).0.limit, Some(largest));
        assert_eq!(own.for_sheet(Content::Classes, &tiles).0.limit, None);
        assert_eq!(common.for_sheet(Content::Methods, &tiles).0.limit, None);
    }
}

#[test]
fn a_contour_goes_around_the_cells_that_hold_its_share() {
    let picture = Image::new(64, 64, vec![100; 64 * 64 * 3]).expect("a picture");
    let frame = Fit::Stretch.frame(64, 64);
    let explainer = explainer(&picture, frame);
    let mut explanation = explainer.explain(&Request::new(Method::Cam)).expect("a map");
    // the upper left cell alone has 60 % of the evidence, with the one below it 90 %
    explanation.map.values = vec![6.0, 1.0, 3.0, 0.0];
    let drawn = |share: f64| {
        let style = Style { opacity: 0.0, cells: true, contours: vec![share], ..Style::default() };
        overlay(&picture, frame, &explanation, &style)
    };
    let white = |image: &Image, x: usize, y: usize| image.pixels()[(y * 64 + x) * 3..][..3] == [255; 3];
    for (share, inside) in [(0.5, [true, false, false, false]), (0.8, [true, false, true, false])] {
        let image = drawn(share);
        let cell = |x: usize, y: usize| inside[y / 32 * 2 + x / 32];
        for y in 0..64 {
            for x in 0..64 {
                let beside = [(x.max(1) - 1, y), ((x + 1).min(63), y), (x, y.max(1) - 1), (x, (y + 1).min(63))];
                let edge = cell(x, y) && beside.iter().any(|&(u, v)| !cell(u, v));
                assert_eq!(white(&image, x, y), edge, "{share}: {x}, {y}");
            }
        }
    }
    // the shares count positive evidence only: against changes nothing
    explanation.map.values[3] = -100.0;
    assert_eq!(explanation.map.level(0.5), Some(6.0));
}

#[test]
fn regions_are_drawn_and_told_where_asked() {
    let bright = |i: usize| (i % 64).abs_diff(32) < 8 && (i / 64).abs_diff(32) < 8;
    let picture = Image::new(64, 64, (0..64 * 64).flat_map(|i| [if bright(i) { 180u8 } else { 10 }; 3]).collect()).expect("a picture");
    let frame = Fit::Stretch.frame(64, 64);
    let explainer = explainer(&picture, frame);
    let scene = Scene { name: "x", picture: &picture, frame, explainer: &explainer };
    let request = Request { signed: true, ..Request::new(Method::Cam) };
    let explanation = explainer.explain(&request).expect("a map");
    let (with, without) = (Style { regions: true, ..Style::default() }, Style::default());
    let [drawn, plain] = [&with, &without].map(|style| scene.over(&picture, frame, &explanation, style));
    assert_eq!(plain, overlay(&picture, frame, &explanation, &without));
    assert_eq!(drawn, tuning_fork::explain::outline(plain, frame, 1, explainer.prepared()));
    let [drawn, plain] = [&with, &without].map(|style| read(&scene.png(&request, style, Content::Overlay).expect("a file")).1);
    assert_ne!(drawn, plain);
    assert!(scene.legend(&explanation, &with).join(";").contains("orange around other sources"));
    assert!(!scene.legend(&explanation, &without).join(";").contains("orange"));
}
