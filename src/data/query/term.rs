//! Words into what they mean.

use std::ops::Range;

use super::lex::{Lexeme, Operator};
use super::{ALLOWED, QueryError};
use crate::data::Part;

/// A number that an image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The probability of the model's answer.
    Confidence,
    /// The difference of the two highest probabilities.
    Margin,
    /// Minus the logarithm of the label's probability.
    Loss,
    /// Redshift.
    Redshift,
    /// Right ascension, degrees.
    Ra,
    /// Declination, degrees.
    Dec,
    /// Pixel scale, arcsec/pixel.
    PixelScale,
    /// The image's number, from 0.
    Image,
}

/// What images can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// A number.
    Column(Column),
    /// The label.
    Class,
    /// The model's answer.
    Predicted,
    /// The part of the split, in the order train, valid, test, none.
    Split,
}

/// An order of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// The largest first.
    pub descending: bool,
}

/// Which label is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The user's where there is one, else the data set's.
    Present,
    /// The data set's.
    Original,
    /// The model's answer.
    Predicted,
}

/// A closed or open interval; `high` below `low` only for right ascensions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub low: f64,
    pub high: f64,
    /// Whether `low` and `high` themselves lie outside.
    pub open: bool,
}

/// What a word asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// Names or numbers of classes, each with its place in the text.
    Class(Label, Vec<(Range<usize>, String)>),
    Split(Vec<Option<Part>>),
    /// The model's answer is the label (true) or is not.
    Right(bool),
    Number(Column, Bounds),
    Relabelled,
    Tagged,
    Tag(Vec<String>),
    /// Parts of the name of the image's file, in lower case.
    File(Vec<String>),
    Sort(Sort),
}

/// A term with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub span: Range<usize>,
    pub negated: bool,
    pub key: String,
    pub term: Term,
}

const COLUMNS: &[(&str, Column)] = &[
    ("conf", Column::Confidence),
    ("confidence", Column::Confidence),
    ("margin", Column::Margin),
    ("loss", Column::Loss),
    ("redshift", Column::Redshift),
    ("z", Column::Redshift),
    ("ra", Column::Ra),
    ("dec", Column::Dec),
    ("pxscale", Column::PixelScale),
    ("image", Column::Image),
];

impl Column {
    /// What it is called in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        COLUMNS.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }

    /// Whether only a model knows it.
    #[must_use]
    pub fn needs_predictions(self) -> bool {
        matches!(self, Self::Confidence | Self::Margin | Self::Loss)
    }
}

impl SortKey {
    /// All keys, in the order in which they are offered.
    pub const ALL: [Self; 11] = [
        Self::Column(Column::Image),
        Self::Class,
        Self::Split,
        Self::Predicted,
        Self::Column(Column::Confidence),
        Self::Column(Column::Margin),
        Self::Column(Column::Loss),
        Self::Column(Column::Redshift),
        Self::Column(Column::Ra),
        Self::Column(Column::Dec),
        Self::Column(Column::PixelScale),
    ];

    /// What it is called in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Column(column) => column.name(),
            Self::Class => "class",
            Self::Predicted => "pred",
            Self::Split => "split",
        }
    }
}

impl Term {
    pub fn needs_predictions(&self) -> bool {
        match self {
            Self::Class(label, _) => *label == Label::Predicted,
            Self::Number(column, _) | Self::Sort(Sort { key: SortKey::Column(column), .. }) => column.needs_predictions(),
            Self::Sort(sort) => sort.key == SortKey::Predicted,
            Self::Right(_) => true,
            _ => false,
        }
    }
}

/// The meaning of a word.
pub fn read(lexeme: &Lexeme) -> Result<Word, QueryError> {
    let term = term(lexeme)?;
    if lexeme.negated && matches!(term, Term::Sort(_)) {
        return Err(QueryError::new(&lexeme.span, "an order cannot be turned round by !; write sort:-loss for the largest first"));
    }
    Ok(Word { span: lexeme.span.clone(), negated: lexeme.negated, key: lexeme.key.clone(), term })
}

fn term(lexeme: &Lexeme) -> Result<Term, QueryError> {
    let key = lexeme.key.as_str();
    if let Some((_, column)) = COLUMNS.iter().find(|(name, _)| *name == key) {
        return Ok(Term::Number(*column, bounds(lexeme, *column)?));
    }
    let alone = match key {
        "right" => Some(Term::Right(true)),
        "wrong" => Some(Term::Right(false)),
        "relabelled" | "relabeled" => Some(Term::Relabelled),
        "tagged" => Some(Term::Tagged),
        _ => None,
    };
    if let Some(term) = alone {
        return match lexeme.operator {
            None => Ok(term),
            Some(_) => Err(QueryError::new(&lexeme.span, format!("{key} stands alone, without a value"))),
        };
    }
    match key {
        "class" => Ok(Term::Class(Label::Present, listed(lexeme, "class:5 or class:\"Barred Spiral\"")?)),
        "original" => Ok(Term::Class(Label::Original, listed(lexeme, "original:5 or original:\"Barred Spiral\"")?)),
        "pred" | "predicted" => Ok(Term::Class(Label::Predicted, listed(lexeme, "pred:5 or pred:\"Barred Spiral\"")?)),
        "split" => {
            let values = listed(lexeme, "split:train, split:valid, split:test or split:none")?;
            Ok(Term::Split(values.iter().map(|(span, value)| part(span, value)).collect::<Result<_, _>>()?))
        }
        "tag" => Ok(Term::Tag(listed(lexeme, "tag:merger")?.into_iter().map(|(_, value)| value.to_lowercase()).collect())),
        "file" => Ok(Term::File(listed(lexeme, "file:587722")?.into_iter().map(|(_, value)| value.to_lowercase()).collect())),
        "sort" => sort(lexeme),
        _ => Err(QueryError::new(&lexeme.span, unknown(lexeme))),
    }
}

fn unknown(lexeme: &Lexeme) -> String {
    let word = &lexeme.key;
    if lexeme.operator.is_none() {
        return format!("{word} is no filter; for a class write class:{word}, for a tag tag:{word}. There are {ALLOWED}");
    }
    format!("there is no {word} to filter by; there are {ALLOWED}")
}

/// The values of a word that takes names.
fn listed(lexeme: &Lexeme, example: &str) -> Result<Vec<(Range<usize>, String)>, QueryError> {
    match lexeme.operator {
        Some(Operator::Is) => Ok(lexeme.values.clone()),
        _ => Err(QueryError::new(&lexeme.span, format!("{} takes a name after a colon: {example}", lexeme.key))),
    }
}

fn part(span: &Range<usize>, value: &str) -> Result<Option<Part>, QueryError> {
    match value.to_lowercase().as_str() {
        "train" | "training" => Ok(Some(Part::Train)),
        "valid" | "validation" | "val" => Ok(Some(Part::Valid)),
        "test" => Ok(Some(Part::Test)),
        "none" => Ok(None),
        _ => Err(QueryError::new(span, format!("{value} is no part of the split; there are train, valid, test and none"))),
    }
}

fn sort(lexeme: &Lexeme) -> Result<Term, QueryError> {
    let allowed = || SortKey::ALL.map(SortKey::name).join(", ");
    let values = listed(lexeme, "sort:loss, or sort:-loss for the largest first")?;
    let [(span, value)] = values.as_slice() else {
        return Err(QueryError::new(&lexeme.span, format!("sort takes one of {}", allowed())));
    };
    let (descending, name) = value.strip_prefix('-').map_or((false, value.as_str()), |rest| (true, rest));
    let name = name.to_lowercase();
    let column = COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, column)| SortKey::Column(*column));
    match column.or_else(|| SortKey::ALL.into_iter().find(|key| key.name() == name)) {
        Some(key) => Ok(Term::Sort(Sort { key, descending })),
        None => Err(QueryError::new(span, format!("images cannot be ordered by {name}; there are {}", allowed()))),
    }
}

/// The interval of a comparison.
fn bounds(lexeme: &Lexeme, column: Column) -> Result<Bounds, QueryError> {
    let key = &lexeme.key;
    let (Some(operator), [(span, value)]) = (lexeme.operator, lexeme.values.as_slice()) else {
        let message = format!("{key} takes a comparison or a range: {key}>0.5, {key}<=0.9, {key}:0.1..0.2");
        return Err(QueryError::new(&lexeme.span, message));
    };
    let number = |text: &str| {
        let (digits, scale) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 100.0));
        let number = digits.parse::<f64>().ok().filter(|number| number.is_finite())? / scale;
        // probabilities are single: 0.8 is to be their 0.8
        Some(if column.needs_predictions() { f64::from(number as f32) } else { number })
    };
    let wrong = || QueryError::new(span, format!("{value} is no number; write {key}>0.5 or {key}:0.1..0.2"));
    if operator == Operator::Is {
        let Some((low, high)) = value.split_once("..") else {
            let exact = number(value).ok_or_else(wrong)?;
            return Ok(Bounds { low: exact, high: exact, open: false });
        };
        let (low, high) = (number(low).ok_or_else(wrong)?, number(high).ok_or_else(wrong)?);
        if low > high && column != Column::Ra {
            return Err(QueryError::new(span, format!("{low} is above {high}; write the smaller number first")));
        }
        return Ok(Bounds { low, high, open: false });
    }
    let limit = number(value).ok_or_else(wrong)?;
    let open = matches!(operator, Operator::Below | Operator::Above);
    Ok(match operator {
        Operator::Below | Operator::AtMost => Bounds { low: f64::NEG_INFINITY, high: limit, open },
        _ => Bounds { low: limit, high: f64::INFINITY, open },
    })
}

impl Bounds {
    /// Whether a number lies inside; NaN never does.
    pub fn contain(&self, value: f64) -> bool {
        if self.low > self.high {
            return value >= self.low || value <= self.high;
        }
        if self.open { value > self.low && value < self.high } else { value >= self.low && value <= self.high }
    }
}
