//! The columns of an exported table.

use crate::data::query::{Column, Facts};

/// A column: its name, what it is, and its value for each image.
pub struct Field<'a> {
    pub name: String,
    pub description: String,
    pub unit: Option<&'static str>,
    /// What it is in the words of the IVOA (Unified Content Descriptors 1+).
    pub ucd: Option<&'static str>,
    pub kind: Kind,
    value: Box<dyn Fn(usize) -> Value + 'a>,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Single,
    Double,
    Text,
}

/// A value; `None` and numbers that are not finite mean that it is not known.
pub enum Value {
    Integer(Option<u32>),
    Single(Option<f32>),
    Double(f64),
    Text(String),
}

impl Field<'_> {
    pub fn value(&self, index: usize) -> Value {
        (self.value)(index)
    }
}

fn field<'a>(name: &str, description: &str, kind: Kind, value: impl Fn(usize) -> Value + 'a) -> Field<'a> {
    Field { name: name.into(), description: description.into(), unit: None, ucd: None, kind, value: Box::new(value) }
}

/// All columns that something is known of.
pub fn fields<'a>(facts: &'a Facts<'a>) -> Vec<Field<'a>> {
    let mut fields = labels(facts);
    if facts.dataset.file_name(0).is_some() {
        let name = |index| Value::Text(facts.dataset.file_name(index).unwrap_or_default());
        fields.insert(
            1,
            Field { ucd: Some("meta.file"), ..field("file", "file of the image, below the data set's folder", Kind::Text, name) },
        );
    }
    catalogue(facts, &mut fields);
    predictions(facts, &mut fields);
    fields
}

fn labels<'a>(facts: &'a Facts<'a>) -> Vec<Field<'a>> {
    let name = |label: u32| Value::Text(facts.dataset.classes.get(label as usize).cloned().unwrap_or_default());
    let original = |index: usize| facts.dataset.labels[index];
    let tags = |index: usize| facts.marks.map(|marks| marks.tags(index).collect::<Vec<_>>().join("; ")).unwrap_or_default();
    let part = |index: usize| facts.parts[index].map_or("none", |part| part.name());
    vec![
        Field {
            ucd: Some("meta.id;meta.main"),
            ..field("image", "number of the image in the data set, from 0", Kind::Integer, |index| Value::Integer(Some(index as u32)))
        },
        Field {
            ucd: Some("meta.code.class;src.morph.type"),
            ..field("label", "label: the user's where there is one, else the data set's", Kind::Integer, |index| {
                Value::Integer(Some(facts.label(index)))
            })
        },
        Field { ucd: Some("src.morph.type"), ..field("class", "name of the label", Kind::Text, move |index| name(facts.label(index))) },
        field("original_label", "label of the data set", Kind::Integer, move |index| Value::Integer(Some(original(index)))),
        field("original_class", "name of the label of the data set", Kind::Text, move |index| name(original(index))),
        field("split", "part of the split: train, valid, test or none", Kind::Text, move |index| Value::Text(part(index).into())),
        field("tags", "tags of the user, apart by semicolons", Kind::Text, move |index| Value::Text(tags(index))),
    ]
}

fn catalogue<'a>(facts: &'a Facts<'a>, fields: &mut Vec<Field<'a>>) {
    let known = &facts.dataset.catalogue;
    let columns = [
        (Column::Ra, &known.ra, "right ascension (J2000)", Some("deg"), "pos.eq.ra;meta.main"),
        (Column::Dec, &known.dec, "declination (J2000)", Some("deg"), "pos.eq.dec;meta.main"),
        (Column::Redshift, &known.redshift, "redshift", None, "src.redshift"),
        (Column::PixelScale, &known.pxscale, "pixel scale", Some("arcsec/pixel"), "instr.scale"),
    ];
    for (column, values, description, unit, ucd) in columns {
        if !values.is_empty() {
            let value = move |index| Value::Double(facts.value(column, index));
            fields.push(Field { unit, ucd: Some(ucd), ..field(column.name(), description, Kind::Double, value) });
        }
    }
}

fn predictions<'a>(facts: &'a Facts<'a>, fields: &mut Vec<Field<'a>>) {
    let Some(predictions) = facts.predictions else { return };
    let classes = &facts.dataset.classes;
    let name = |index: usize| {
        let class = predictions.class(index).and_then(|class| classes.get(class as usize));
        Value::Text(class.cloned().unwrap_or_default())
    };
    let mut single = |field: Field<'a>, ucd: &'static str| fields.push(Field { ucd: Some(ucd), ..field });
    single(
        field("predicted", "class with the highest probability", Kind::Integer, |index| Value::Integer(predictions.class(index))),
        "meta.code.class",
    );
    single(field("predicted_class", "its name", Kind::Text, name), "src.morph.type");
    let numbers = [
        (Column::Confidence, "confidence", "highest probability", "stat.probability"),
        (Column::Margin, "margin", "difference of the two highest probabilities", "stat.value"),
        (Column::Loss, "loss", "minus the natural logarithm of the probability of the label", "stat.value"),
    ];
    for (column, name, description, ucd) in numbers {
        let value = move |index| Value::Single(Some(facts.value(column, index) as f32));
        single(field(name, description, Kind::Single, value), ucd);
    }
    for (class, name) in column_names(classes).into_iter().enumerate().take(predictions.classes()) {
        let value = move |index| Value::Single(predictions.row(index).map(|row| row[class]));
        single(field(&name, &format!("probability of {}", classes[class]), Kind::Single, value), "stat.probability");
    }
}

/// A name for each class's probability that every program takes: `p_Barred_Spiral`; with the label behind where two would be
/// the same.
fn column_names(classes: &[String]) -> Vec<String> {
    let plain = |name: &String| format!("p_{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    let names: Vec<String> = classes.iter().map(plain).collect();
    let twice = |name: &String| names.iter().filter(|other| other.eq_ignore_ascii_case(name)).count() > 1;
    names.iter().enumerate().map(|(label, name)| if twice(name) { format!("{name}_{label}") } else { name.clone() }).collect()
}
