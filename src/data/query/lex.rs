//! A text into words: key, operator, values, each with its place. Knows no meaning.

use std::ops::Range;

use super::QueryError;

/// How a key and its values belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `:` or `=`.
    Is,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// A word of a query.
#[derive(Clone, Debug)]
pub struct Lexeme {
    /// Its place, a `!` before it included.
    pub span: Range<usize>,
    /// Whether `!` stands before it.
    pub negated: bool,
    /// What stands before the operator, in lower case.
    pub key: String,
    /// The operator, unless the word is a key alone.
    pub operator: Option<Operator>,
    /// What stands after it, apart by commas, quotes taken off.
    pub values: Vec<(Range<usize>, String)>,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// The words of a text. Blanks around an operator are allowed: `conf > 0.9`.
pub fn words(text: &str) -> Result<Vec<Lexeme>, QueryError> {
    let mut reader = Reader { text, at: 0 };
    let mut words = Vec::new();
    loop {
        reader.blanks();
        if reader.peek().is_none() {
            return Ok(words);
        }
        words.push(reader.word()?);
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.skip();
        }
    }

    fn word(&mut self) -> Result<Lexeme, QueryError> {
        let start = self.at;
        let negated = self.peek() == Some('!');
        if negated {
            self.skip();
            self.blanks();
        }
        let from = self.at;
        while self.peek().is_some_and(|c| !c.is_whitespace() && !":=<>\",".contains(c)) {
            self.skip();
        }
        let key = self.text[from..self.at].to_lowercase();
        let end = self.at;
        self.blanks();
        let Some(operator) = self.operator() else {
            self.at = end;
            if key.is_empty() {
                self.skip();
                let found = &self.text[end..self.at];
                return Err(QueryError::new(&(start..self.at), format!("{found} stands here alone; write a filter such as class:5")));
            }
            return Ok(Lexeme { span: start..end, negated, key, operator: None, values: Vec::new() });
        };
        self.blanks();
        let values = self.values(start)?;
        Ok(Lexeme { span: start..self.at, negated, key, operator: Some(operator), values })
    }

    fn operator(&mut self) -> Option<Operator> {
        let first = self.peek().filter(|c| ":=<>".contains(*c))?;
        self.skip();
        let or_equal = "<>".contains(first) && self.peek() == Some('=');
        if or_equal {
            self.skip();
        }
        Some(match (first, or_equal) {
            ('<', false) => Operator::Below,
            ('<', true) => Operator::AtMost,
            ('>', false) => Operator::Above,
            ('>', true) => Operator::AtLeast,
            _ => Operator::Is,
        })
    }

    fn values(&mut self, start: usize) -> Result<Vec<(Range<usize>, String)>, QueryError> {
        let mut values = Vec::new();
        loop {
            let from = self.at;
            let mut value = String::new();
            while let Some(c) = self.peek().filter(|c| !c.is_whitespace() && *c != ',') {
                self.skip();
                if c == '"' {
                    self.quoted(&mut value)?;
                } else {
                    value.push(c);
                }
            }
            if value.trim().is_empty() {
                let word = &self.text[start..self.at];
                return Err(QueryError::new(&(start..self.at), format!("after {word} there is a value missing")));
            }
            values.push((from..self.at, value));
            if self.peek() != Some(',') {
                return Ok(values);
            }
            self.skip();
        }
    }

    /// What stands up to the closing quote; the opening one was read.
    fn quoted(&mut self, value: &mut String) -> Result<(), QueryError> {
        let start = self.at - 1;
        while let Some(c) = self.peek() {
            self.skip();
            if c == '"' {
                return Ok(());
            }
            value.push(c);
        }
        Err(QueryError::new(&(start..self.at), "the quote is not closed; put a \" at the end of the name"))
    }
}
