//! The language that chooses and orders images: `class:5 split:test wrong conf>0.9 sort:-loss`.
//!
//! Words stand apart by blanks; an image must pass all of them. `!` before a word turns it round. Names with blanks stand in
//! quotes, several values apart by commas (any of them will do).
//!
//! | word | passes |
//! |---|---|
//! | `class:5` `class:"Barred Spiral"` `class:5,6` | images with this label, by number or name; the user's label where there is one |
//! | `original:5` | images that the data set gives this label, whatever the user says |
//! | `pred:5` | images that the model calls this |
//! | `split:train` (`valid`, `test`, `none`) | images of this part of the split |
//! | `right` `wrong` | the model's answer is the label, or is not |
//! | `conf>0.9` `conf<60%` | the probability of the model's answer |
//! | `margin<0.1` | the difference of the two highest probabilities |
//! | `loss>2` | minus the natural logarithm of the label's probability |
//! | `redshift<0.1` (or `z`) `ra:150..152` `dec:-1..1` `pxscale>0.2` | catalogue columns; `ra:350..10` goes through 0 |
//! | `image:0..99` | images by number |
//! | `relabelled` `tagged` `tag:merger` | what the user marked |
//! | `sort:loss` `sort:-conf` | the order, ascending or (with `-`) descending |
//!
//! An image for which a number is not known passes no comparison. A word about something that no image has (redshifts,
//! predictions) is an error, not an empty list.

mod edit;
mod lex;
mod run;
mod term;

use std::fmt;
use std::ops::Range;

pub use run::Facts;
pub use term::{Column, Sort, SortKey};
use term::{Term, Word};

/// A filter with an order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    text: String,
    words: Vec<Word>,
}

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The bytes of the text that are meant.
    pub span: Range<usize>,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl QueryError {
    fn new(span: &Range<usize>, message: impl Into<String>) -> Self {
        Self { span: span.clone(), message: message.into() }
    }

    /// The text with the word marked under it, and the message: three lines.
    #[must_use]
    pub fn marked(&self, text: &str) -> String {
        let before = text.get(..self.span.start).map_or(0, |part| part.chars().count());
        let width = text.get(self.span.clone()).map_or(1, |part| part.chars().count().max(1));
        format!("{text}\n{}{}\n{}", " ".repeat(before), "^".repeat(width), self.message)
    }
}

impl Query {
    /// Reads a query. Names of classes are looked up when it is [run](Self::run).
    ///
    /// # Errors
    /// At the first word that is none, with what is allowed.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let words = lex::words(text)?.iter().map(term::read).collect::<Result<Vec<_>, _>>()?;
        let mut sorts = words.iter().filter(|word| matches!(word.term, Term::Sort(_)));
        if let (Some(_), Some(second)) = (sorts.next(), sorts.next()) {
            return Err(QueryError::new(&second.span, "there is an order already; keep one sort: word"));
        }
        Ok(Self { text: text.to_owned(), words })
    }

    /// What was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The order that it asks for, if any.
    #[must_use]
    pub fn sort(&self) -> Option<Sort> {
        self.words.iter().find_map(|word| match word.term {
            Term::Sort(sort) => Some(sort),
            _ => None,
        })
    }

    /// Whether it asks for anything that only a model knows.
    #[must_use]
    pub fn needs_predictions(&self) -> bool {
        self.words.iter().any(|word| word.term.needs_predictions())
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Everything that a filter may be about, in a line; for messages and hints.
pub const ALLOWED: &str = "class, original, pred, split, right, wrong, conf, margin, loss, redshift, ra, dec, pxscale, image, file, \
                           relabelled, tagged, tag and sort";
