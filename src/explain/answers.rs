//! Many answers as a table: CSV, and `VOTable` for astronomers' tools (IVOA `VOTable` 1.4, TABLEDATA). Rows are written one by one, so
//! that their number does not matter.

use std::io::{self, Write};

use super::Nearness;

/// A kind of table file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Comma-separated values with a heading.
    Csv,
    /// `VOTable` XML.
    VoTable,
}

impl TableFormat {
    /// The extension of its files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::VoTable => "vot",
        }
    }
}

/// The columns of the distance.
const DISTANCE_FIELDS: &str = "\
<FIELD ID=\"distance\" name=\"distance\" datatype=\"float\" ucd=\"stat.value\"><DESCRIPTION>Distance to the training pictures: to the \
k-th nearest one, between features in standard deviations</DESCRIPTION></FIELD>
<FIELD ID=\"percentile\" name=\"percentile\" datatype=\"double\" ucd=\"stat.rank\"><DESCRIPTION>Percentage of the validation pictures that are \
nearer</DESCRIPTION></FIELD>
";

/// A table that is being written: path, class, probability, the probability of every class, and where it is asked for the distance to
/// the training pictures with its percentile among the validation pictures.
pub struct AnswerTable<'a, W: Write> {
    classes: &'a [String],
    distance: bool,
    form: Form<W>,
}

enum Form<W: Write> {
    Csv(Box<csv::Writer<W>>),
    VoTable(W),
}

impl<'a, W: Write> AnswerTable<'a, W> {
    /// A table with its heading. `model` is said in a `VOTable`; `distance` asks for its two columns.
    ///
    /// # Errors
    /// If `out` cannot be written to.
    pub fn new(format: TableFormat, mut out: W, classes: &'a [String], model: &str, distance: bool) -> io::Result<Self> {
        let more: &[&str] = if distance { &["distance", "percentile"] } else { &[] };
        let form = match format {
            TableFormat::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                let names = ["path", "class", "probability"].into_iter().chain(classes.iter().map(String::as_str));
                writer.write_record(names.chain(more.iter().copied()))?;
                Form::Csv(Box::new(writer))
            }
            TableFormat::VoTable => {
                write!(
                    out,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<VOTABLE version=\"1.4\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n\
                     <RESOURCE type=\"results\">\n<TABLE name=\"classes\">\n<DESCRIPTION>Classes by Tuning Fork {}, model {}</DESCRIPTION>\n\
                     <FIELD name=\"path\" datatype=\"unicodeChar\" arraysize=\"*\" ucd=\"meta.id;meta.file\"/>\n\
                     <FIELD name=\"class\" datatype=\"unicodeChar\" arraysize=\"*\" ucd=\"meta.code.class\"/>\n\
                     <FIELD name=\"probability\" datatype=\"float\" ucd=\"stat.probability\"/>\n",
                    crate::VERSION,
                    escaped(model),
                )?;
                for (number, class) in classes.iter().enumerate() {
                    let class = escaped(class);
                    writeln!(
                        out,
                        "<FIELD ID=\"p{number}\" name=\"{class}\" datatype=\"float\" ucd=\"stat.probability\">\
                         <DESCRIPTION>Probability of {class}</DESCRIPTION></FIELD>"
                    )?;
                }
                if distance {
                    out.write_all(DISTANCE_FIELDS.as_bytes())?;
                }
                writeln!(out, "<DATA>\n<TABLEDATA>")?;
                Form::VoTable(out)
            }
        };
        Ok(Self { classes, distance, form })
    }

    /// Writes one answer; of two equal probabilities the earlier class is the answer.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&mut self, path: &str, probabilities: &[f32], nearness: Option<Nearness>) -> io::Result<()> {
        let Some(best) = best(probabilities) else { return Ok(()) };
        let class = &self.classes[best];
        // an empty cell where it is not known
        let cells = nearness.map_or_else(<[String; 2]>::default, |near| [near.distance.to_string(), near.percentile().to_string()]);
        let more = if self.distance { &cells[..] } else { &[] };
        match &mut self.form {
            Form::Csv(writer) => {
                let head = [path.to_owned(), class.clone(), probabilities[best].to_string()];
                writer.write_record(head.into_iter().chain(probabilities.iter().map(f32::to_string)).chain(more.iter().cloned()))?;
            }
            Form::VoTable(out) => {
                write!(out, "<TR><TD>{}</TD><TD>{}</TD><TD>{}</TD>", escaped(path), escaped(class), probabilities[best])?;
                for p in probabilities {
                    write!(out, "<TD>{p}</TD>")?;
                }
                for cell in more {
                    write!(out, "<TD>{cell}</TD>")?;
                }
                writeln!(out, "</TR>")?;
            }
        }
        Ok(())
    }

    /// Ends the table; the writer comes back.
    ///
    /// # Errors
    /// If the end cannot be written.
    pub fn finish(self) -> io::Result<W> {
        match self.form {
            Form::Csv(writer) => writer.into_inner().map_err(csv::IntoInnerError::into_error),
            Form::VoTable(mut out) => {
                writeln!(out, "</TABLEDATA>\n</DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>")?;
                Ok(out)
            }
        }
    }
}

/// The most probable class; of two equal ones the earlier.
#[must_use]
pub fn best(probabilities: &[f32]) -> Option<usize> {
    (0..probabilities.len()).reduce(|best, c| if probabilities[c] > probabilities[best] { c } else { best })
}

/// Text for XML; what XML cannot hold becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            sign if sign < ' ' => out.push('\u{fffd}'),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(format: TableFormat, distance: bool) -> String {
        let classes = ["Round & smooth", "Spiral"].map(str::to_owned);
        let mut table = AnswerTable::new(format, Vec::new(), &classes, "compact <64>", distance).expect("a heading");
        table.write("a \"b\".png", &[0.25, 0.75], Some(Nearness { distance: 0.5, nearer: 0.875 })).expect("a row");
        table.write("c,d.png", &[0.5, 0.5], None).expect("a row");
        String::from_utf8(table.finish().expect("an end")).expect("text")
    }

    #[test]
    fn every_probability_is_in_the_csv() {
        let expected = "path,class,probability,Round & smooth,Spiral\n\"a \"\"b\"\".png\",Spiral,0.75,0.25,0.75\n\"c,d.png\",Round & smooth,0.5,0.5,0.5\n";
        assert_eq!(table(TableFormat::Csv, false), expected);
    }

    #[test]
    fn what_xml_reserves_is_escaped() {
        let text = table(TableFormat::VoTable, false);
        assert!(text.contains("<FIELD ID=\"p0\" name=\"Round &amp; smooth\" datatype=\"float\""), "{text}");
        assert!(text.contains("<TR><TD>a &quot;b&quot;.png</TD><TD>Spiral</TD><TD>0.75</TD><TD>0.25</TD><TD>0.75</TD></TR>"), "{text}");
        assert!(text.contains("model compact &lt;64&gt;") && text.trim_end().ends_with("</VOTABLE>"));
    }

    #[test]
    fn a_distance_has_two_columns_and_may_be_missing() {
        let csv = table(TableFormat::Csv, true);
        let lines: Vec<&str> = csv.lines().collect();
        assert!(
            lines[0].ends_with(",Spiral,distance,percentile") && lines[1].ends_with(",0.5,87.5") && lines[2].ends_with(",0.5,,"),
            "{csv}"
        );
        let text = table(TableFormat::VoTable, true);
        assert!(text.contains("<TD>0.5</TD><TD>87.5</TD></TR>") && text.contains("<TD></TD><TD></TD></TR>"), "{text}");
        assert_eq!(text.matches("<FIELD").count(), 7, "{text}");
    }
}
