//! `VOTable` 1.4 (<https://www.ivoa.net/documents/VOTable/20191021/>), values as text in `TABLEDATA`.

use std::io::{self, Write};

use super::fields::{Field, Kind};
use crate::data::query::Facts;

pub fn write(to: &mut dyn Write, fields: &[Field], facts: &Facts, which: &[usize]) -> io::Result<()> {
    writeln!(to, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(to, r#"<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">"#)?;
    writeln!(to, r#" <RESOURCE type="results">"#)?;
    writeln!(to, r#"  <COOSYS ID="icrs" system="ICRS"/>"#)?;
    writeln!(to, r#"  <INFO name="creator" value="Tuning Fork {}"/>"#, crate::VERSION)?;
    writeln!(to, r#"  <INFO name="data" value="{}"/>"#, escape(&facts.dataset.name))?;
    if let Some(predictions) = facts.predictions {
        writeln!(to, r#"  <INFO name="model" value="{}"/>"#, escape(predictions.origin()))?;
    }
    writeln!(to, r#"  <TABLE name="images" nrows="{}">"#, which.len())?;
    for field in fields {
        write_field(to, field)?;
    }
    writeln!(to, "   <DATA>\n    <TABLEDATA>")?;
    for &index in which {
        write!(to, "     <TR>")?;
        for field in fields {
            write!(to, "<TD>{}</TD>", escape(&field.value(index).to_string()))?;
        }
        writeln!(to, "</TR>")?;
    }
    writeln!(to, "    </TABLEDATA>\n   </DATA>\n  </TABLE>\n </RESOURCE>\n</VOTABLE>")
}

fn write_field(to: &mut dyn Write, field: &Field) -> io::Result<()> {
    let kind = match field.kind {
        Kind::Integer => r#"datatype="long""#,
        Kind::Single => r#"datatype="float""#,
        Kind::Double => r#"datatype="double""#,
        Kind::Text => r#"datatype="unicodeChar" arraysize="*""#,
    };
    write!(to, r#"   <FIELD name="{}" {kind}"#, escape(&field.name))?;
    if let Some(ucd) = field.ucd {
        write!(to, r#" ucd="{ucd}""#)?;
        if ucd.starts_with("pos.eq") {
            write!(to, r#" ref="icrs""#)?;
        }
    }
    if let Some(unit) = field.unit {
        write!(to, r#" unit="{unit}""#)?;
    }
    writeln!(to, "><DESCRIPTION>{}</DESCRIPTION></FIELD>", escape(&field.description))
}

/// Text inside an element or a quoted attribute; characters that XML 1.0 does not have become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
