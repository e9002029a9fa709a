//! What a user writes to see fewer runs: `f1>0.6 model:compact tag:final -state:failed "first try"`.
//!
//! Words must stand in the name, folder, notes, tags or data set; `key:value`, `key=value`, `key<value` and their kin ask
//! a [`Column`]; `-` before a term turns it round. All terms must hold. Upper and lower case are the same.

use super::{Column, RunFacts, Value};

/// A filter that was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    not: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Word(String),
    Contains(Column, String),
    Compare(Column, Relation, f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
}

const RELATIONS: [(&str, Relation); 6] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("<", Relation::Below),
    (">", Relation::Above),
    ("=", Relation::Equal),
    (":", Relation::Equal),
];

impl Filter {
    /// Reads a filter; an empty one lets everything through.
    ///
    /// # Errors
    /// A message that says which term makes no sense, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let terms = words(text)?.into_iter().map(|word| term(&word)).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Whether a run passes.
    #[must_use]
    pub fn passes(&self, run: &RunFacts) -> bool {
        self.terms.iter().all(|term| term.not != term.what.holds(run))
    }
}

impl What {
    fn holds(&self, run: &RunFacts) -> bool {
        match self {
            Self::Word(word) => {
                let about = &run.about;
                let tags = about.tags.iter().map(String::as_str);
                [run.name(), &run.folder, &about.notes, &run.data].into_iter().chain(tags).any(|text| text.to_lowercase().contains(word))
            }
            Self::Contains(column, part) => match column.value(run) {
                Value::Text(text) => text.to_lowercase().contains(part),
                _ => column.text(run).to_lowercase().contains(part),
            },
            Self::Compare(column, relation, bound) => match column.value(run) {
                Value::Number(value) => relation.holds(value, *bound),
                _ => false,
            },
        }
    }
}

impl Relation {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Below => value < bound,
            Self::AtMost => value <= bound,
            Self::Above => value > bound,
            Self::AtLeast => value >= bound,
            Self::Equal => (value - bound).abs() <= 1e-9 * bound.abs().max(1.0),
        }
    }
}

/// The words of a text; what stands in double quotes is one word.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut any) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' => (quoted, any) = (!quoted, true),
            c if c.is_whitespace() && !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    if quoted {
        return Err("a quotation mark is open; close it".into());
    }
    if any {
        words.push(word);
    }
    Ok(words)
}

fn term(word: &str) -> Result<Term, String> {
    let (not, rest) = word.strip_prefix('-').filter(|rest| !rest.is_empty()).map_or((false, word), |rest| (true, rest));
    let first = RELATIONS.iter().filter_map(|(sign, relation)| Some((rest.find(sign)?, *sign, *relation))).min_by_key(|(at, sign, _)| {
        // of two that begin at the same place the longer one is meant
        (*at, std::cmp::Reverse(sign.len()))
    });
    let Some((at, sign, relation)) = first.filter(|(at, ..)| *at > 0) else {
        return Ok(Term { not, what: What::Word(rest.to_lowercase()) });
    };
    let column: Column = rest[..at].parse().map_err(|error: String| format!("{word}: {error}"))?;
    let value = rest[at + sign.len()..].trim();
    if value.is_empty() {
        return Err(format!("{word}: write a value after {sign}"));
    }
    let what = match (value.parse::<f64>(), relation) {
        (Ok(bound), relation) => What::Compare(column, relation, bound),
        (Err(_), Relation::Equal) => What::Contains(column, value.to_lowercase()),
        (Err(_), _) => return Err(format!("{word}: {value} is not a number, so nothing is more or less than it")),
    };
    Ok(Term { not, what })
}
