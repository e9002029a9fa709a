//! Tables for other programs. That astropy reads and validates them is checked by `tests/reference/data/votable.py`.

use tuning_fork::data::export::{Format, export, write};
use tuning_fork::data::query::Facts;
use tuning_fork::data::{Dataset, Marks, Part, Predictions};

use super::common::memory_dataset;

fn dataset() -> Dataset {
    let mut dataset = memory_dataset(&[0, 1, 0], 3);
    dataset.classes = ["Round & \"red\" <1>", "été", "Été"].map(str::to_owned).to_vec();
    dataset.catalogue.ra = vec![0.1, f64::NAN, 359.999_999_9];
    dataset.catalogue.dec = vec![-0.5, 1.0, 2.0];
    dataset
}

fn text(format: Format, facts: &Facts, which: &[usize]) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes, format, facts, which).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_table_has_every_column_that_is_known() {
    let dataset = dataset();
    let mut predictions = Predictions::new("run <7>", 3, 3);
    predictions.set(2, &[0.25, 0.5, 0.25]);
    let mut marks = Marks::default();
    marks.relabel(2, 2, 0);
    marks.toggle_tag(2, "a\tb, c");
    let parts = [None, Some(Part::Train), Some(Part::Test)];
    let facts = Facts { dataset: &dataset, parts: &parts, predictions: Some(&predictions), marks: Some(&marks) };
    let csv = text(Format::Csv, &facts, &[2, 1]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines,
        [
            "image,label,class,original_label,original_class,split,tags,ra,dec,predicted,predicted_class,confidence,margin,loss,\
             p_Round____red___1_,p__t__1,p__t__2",
            "2,2,Été,0,\"Round & \"\"red\"\" <1>\",test,\"ab, c\",359.9999999,2,1,été,0.5,0.25,1.3862944,0.25,0.5,0.25",
            "1,1,été,1,été,train,,,1,,,,,,,,",
        ]
    );
    let vot = text(Format::VoTable, &facts, &[2, 1]);
    for piece in [
        r#"<INFO name="model" value="run &lt;7&gt;"/>"#,
        r#"<FIELD name="ra" datatype="double" ucd="pos.eq.ra;meta.main" ref="icrs" unit="deg">"#,
        r#"<FIELD name="p__t__1" datatype="float" ucd="stat.probability"><DESCRIPTION>probability of été</DESCRIPTION>"#,
        "<TR><TD>2</TD><TD>2</TD><TD>Été</TD><TD>0</TD><TD>Round &amp; &quot;red&quot; &lt;1&gt;</TD><TD>test</TD>",
        "<TD></TD><TD>1</TD><TD></TD>",
    ] {
        assert!(vot.contains(piece), "{piece} is not in\n{vot}");
    }
    assert_eq!(vot.matches("<TR>").count(), 2);
}

#[test]
fn without_predictions_and_catalogue_their_columns_are_not_there() {
    let dataset = memory_dataset(&[0, 0], 1);
    let facts = Facts { dataset: &dataset, parts: &[None, None], predictions: None, marks: None };
    let csv = text(Format::Csv, &facts, &[0, 1]);
    assert_eq!(csv.lines().next(), Some("image,label,class,original_label,original_class,split,tags"));
    assert_eq!(text(Format::Csv, &facts, &[]).lines().count(), 1);
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset();
    let facts = Facts { dataset: &dataset, parts: &[None; 3], predictions: None, marks: None };
    let path = dir.path().join("out.vot");
    export(&path, Format::VoTable, &facts, &[0]).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().ends_with("</VOTABLE>\n"));
    assert!(export(&dir.path().join("none/out.csv"), Format::Csv, &facts, &[0]).is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    for (name, format) in [("a.CSV", Some(Format::Csv)), ("a.xml", Some(Format::VoTable)), ("a.fits", None), ("a", None)] {
        assert_eq!(Format::of(std::path::Path::new(name)), format);
    }
}
