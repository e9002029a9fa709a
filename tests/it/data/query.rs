//! The language that chooses and orders images.

use tuning_fork::data::query::{Facts, Query};
use tuning_fork::data::{Dataset, Marks, Part, Predictions};

use super::common::memory_dataset;

/// Six images: labels 0 1 2 0 1 2 of "Round Smooth", "Barred Spiral", "Barred Ring"; 0 to 3 train, 4 tests, 5 is in no part.
struct Stand {
    dataset: Dataset,
    parts: Vec<Option<Part>>,
    predictions: Predictions,
    marks: Marks,
}

fn stand() -> Stand {
    let mut dataset = memory_dataset(&[0, 1, 2, 0, 1, 2], 3);
    dataset.classes = ["Round Smooth", "Barred Spiral", "Barred Ring"].map(str::to_owned).to_vec();
    dataset.catalogue.redshift = vec![0.01, 0.02, f64::NAN, 0.04, 0.05, 0.3];
    dataset.catalogue.ra = vec![359.0, 1.0, 10.0, 180.0, 350.0, 0.0];
    dataset.catalogue.dec = vec![-1.0, 0.0, 1.0, 2.0, 3.0, 4.0];
    let train = Some(Part::Train);
    let parts = vec![train, train, train, train, Some(Part::Test), None];
    let mut predictions = Predictions::new("a model", 3, 6);
    // image 5 has no answer
    let rows = [[0.9, 0.05, 0.05], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6], [0.0, 1.0, 0.0], [0.1, 0.8, 0.1]];
    for (index, row) in rows.iter().enumerate() {
        predictions.set(index, row);
    }
    let mut marks = Marks::default();
    marks.relabel(3, 1, 0);
    marks.toggle_tag(3, "Merger");
    marks.toggle_tag(4, "odd one");
    Stand { dataset, parts, predictions, marks }
}

impl Stand {
    fn facts(&self) -> Facts<'_> {
        Facts { dataset: &self.dataset, parts: &self.parts, predictions: Some(&self.predictions), marks: Some(&self.marks) }
    }

    #[track_caller]
    fn images(&self, text: &str) -> Vec<usize> {
        let query = Query::parse(text).unwrap_or_else(|error| panic!("{}", error.marked(text)));
        query.run(&self.facts()).unwrap_or_else(|error| panic!("{}", error.marked(text)))
    }

    /// The word that the error points at, and its message.
    #[track_caller]
    fn error(&self, text: &str) -> (String, String) {
        let result = Query::parse(text).and_then(|query| query.run(&self.facts()));
        let error = result.expect_err(text);
        (text[error.span.clone()].to_owned(), error.message)
    }
}

#[test]
fn each_word_lets_its_images_pass() {
    let stand = stand();
    let cases: &[(&str, &[usize])] = &[
        ("", &[0, 1, 2, 3, 4, 5]),
        ("class:0", &[0]), // 3 was relabelled
        ("original:0", &[0, 3]),
        ("class:\"barred spiral\"", &[1, 3, 4]),
        ("class:round", &[0]),
        ("class:0,2", &[0, 2, 5]),
        ("class=\"Barred Ring\",0", &[0, 2, 5]),
        ("!class:0", &[1, 2, 3, 4, 5]),
        ("split:train", &[0, 1, 2, 3]),
        ("split:test,none", &[4, 5]),
        ("split:validation", &[]),
        ("pred:1", &[3, 4]),
        ("right", &[0, 2, 3, 4]),
        ("wrong", &[1]),
        ("!right", &[1]), // what is not known passes neither way
        ("conf>0.8", &[0, 3]),
        ("conf>=80%", &[0, 3, 4]),
        ("conf < 0.6", &[1]),
        ("margin<0.2", &[1]),
        ("loss>0.9", &[1]),
        ("redshift:0.02..0.05", &[1, 3, 4]),
        ("z<=0.02", &[0, 1]),
        ("!z<=0.02", &[3, 4, 5]),
        ("ra:340..5 dec:-1..0", &[0, 1]),
        ("image:2..3", &[2, 3]),
        ("relabelled", &[3]),
        ("tagged", &[3, 4]),
        ("tag:merger", &[3]),
        ("tag:\"odd one\"", &[4]),
        ("class:1 split:train right conf>0.9", &[3]),
    ];
    for (text, images) in cases {
        assert_eq!(stand.images(text), *images, "{text}");
    }
}

#[test]
fn images_come_in_the_order_asked_for_and_what_is_not_known_last() {
    let stand = stand();
    assert_eq!(stand.images("sort:-conf"), [3, 0, 4, 2, 1, 5]);
    assert_eq!(stand.images("sort:conf"), [1, 2, 4, 0, 3, 5]);
    assert_eq!(stand.images("sort:-z"), [5, 4, 3, 1, 0, 2]);
    assert_eq!(stand.images("sort:class"), [0, 1, 3, 4, 2, 5]);
    assert_eq!(stand.images("sort:split split:test,none,train"), [0, 1, 2, 3, 4, 5]);
    assert_eq!(stand.images("image:0..3 sort:-image"), [3, 2, 1, 0]);
    assert_eq!(stand.images("sort:-loss")[0], 1, "the probability of its label is 0.4");
}

#[test]
fn errors_point_at_the_word_and_say_what_is_allowed() {
    let stand = stand();
    for (text, word, says) in [
        ("split:test colour:red", "colour:red", "class, original, pred"),
        ("spiral", "spiral", "class:spiral"),
        ("class:7", "7", "from 0 to 2"),
        ("class:Elliptical", "Elliptical", "0 Round Smooth, 1 Barred Spiral, 2 Barred Ring"),
        ("right class:barred", "barred", "1 Barred Spiral, 2 Barred Ring"),
        ("split:exam", "exam", "train, valid, test and none"),
        ("conf>high", "high", "conf>0.5"),
        ("conf:0.9..0.1", "0.9..0.1", "smaller number first"),
        ("conf", "conf", "comparison"),
        ("class>3", "class>3", "after a colon"),
        ("class:", "class:", "value missing"),
        ("class:\"Round Smooth", "\"Round Smooth", "quote"),
        ("sort:beauty", "beauty", "loss"),
        ("sort:z sort:ra", "sort:ra", "one sort"),
        ("!sort:z", "!sort:z", "sort:-loss"),
        ("wrong:1", "wrong:1", "alone"),
        ("class:1 , split:test", ",", "alone"),
        ("pxscale>0.1", "pxscale>0.1", "pxscale.npy"),
        ("conf>NaN", "NaN", "no number"),
    ] {
        let (at, message) = stand.error(text);
        assert!(at == word && message.contains(says), "{text}: at {at:?}: {message}");
    }
    let error = Query::parse("é:1 foo:2").expect_err("no such word");
    assert_eq!(error.marked("é:1 foo:2").lines().nth(1), Some("^^^"));
}

#[test]
fn asking_for_what_no_image_has_is_a_message_and_not_an_empty_list() {
    assert!(stand().error("file:x").1.contains("no files of their own"));
    let mut stand = stand();
    stand.predictions = Predictions::new("a model", 3, 6);
    for text in ["wrong", "pred:1", "conf>0.5", "sort:loss", "sort:pred"] {
        let (at, message) = stand.error(text);
        assert!(at == text && message.contains("classify the pictures first"), "{text}: {message}");
    }
    stand.dataset.catalogue.redshift.clear();
    assert!(stand.error("z<1").1.contains("no column redshift"));
    let facts = Facts { predictions: None, marks: None, ..stand.facts() };
    assert_eq!(Query::parse("relabelled").unwrap().run(&facts).unwrap(), Vec::<usize>::new());
}

#[test]
fn one_word_is_changed_and_the_rest_stays_as_it_was_written() {
    let query = Query::parse("split:test class:\"Barred Spiral\"  conf > 0.9").unwrap();
    assert_eq!(query.value("class").as_deref(), Some("Barred Spiral"));
    assert_eq!(query.value("split").as_deref(), Some("test"));
    assert_eq!(query.value("tag"), None);
    assert_eq!(query.with("class", Some("Round Smooth")), "split:test conf > 0.9 class:\"Round Smooth\"");
    assert_eq!(query.with("class", None), "split:test conf > 0.9");
    assert_eq!(query.with("sort", Some("-loss")), "split:test class:\"Barred Spiral\" conf > 0.9 sort:-loss");
    assert_eq!(Query::parse("!split:test").unwrap().value("split"), None);
    assert_eq!(Query::parse("class:1 class:2").unwrap().value("class"), None);
}

#[test]
fn any_text_is_a_query_or_an_error_and_never_a_panic() {
    use tuning_fork::random::{Purpose, Random};
    let stand = stand();
    let pieces =
        ["class", ":", "\"", ",", "!", " ", "..", "<", ">=", "conf", "0.5", "é", "-", "sort", "z", "\u{1f300}", "%", "=", "nan", "1e999"];
    let mut random = Random::new(1, Purpose::Test, &[]);
    for _ in 0..5000 {
        let text: String = (0..random.below(9)).map(|_| pieces[random.below(pieces.len())]).collect();
        if let Err(error) = Query::parse(&text).and_then(|query| query.run(&stand.facts())) {
            assert!(text.get(error.span.clone()).is_some(), "{text:?}: {:?}", error.span);
            assert!(!error.marked(&text).is_empty());
        }
    }
}

#[test]
fn what_follows_from_the_probabilities() {
    let Stand { mut predictions, .. } = stand();
    assert_eq!((predictions.count(), predictions.class(1), predictions.class(5)), (5, Some(0), None));
    assert_eq!(predictions.margin(1), Some(0.5 - 0.4));
    assert_eq!(predictions.loss(3, 1), Some(0.0));
    assert!(predictions.loss(3, 0).is_some_and(|loss| loss.is_finite() && loss > 80.0));
    predictions.set(1, &[f32::NAN, 0.5, 0.5]);
    assert_eq!((predictions.count(), predictions.row(1)), (4, None), "a row that is not finite is no answer");
}
