//! Command-line values of the library's enums, read off the enums themselves.
//!
//! The rooms know nothing of arguments, so their enums cannot derive clap's traits. They all derive serde's, and that is
//! enough: serde names the variants, so a new variant is a new value on the command line without a line here.

use std::ffi::OsStr;
use std::marker::PhantomData;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde::de::value::{Error as ValueError, StringDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

/// Parses a fieldless enum whose variants serde spells `snake_case`; on the command line they are spelled `kebab-case`
/// (and `snake_case`, as in `config.json`, is understood too).
pub struct Choice<T>(PhantomData<fn() -> T>);

impl<T> Choice<T> {
    /// A parser for `T`.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for Choice<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T: DeserializeOwned + Clone + Send + Sync + 'static> TypedValueParser for Choice<T> {
    type Value = T;

    fn parse_ref(&self, command: &clap::Command, arg: Option<&clap::Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let name = PossibleValuesParser::new(values::<T>()).parse_ref(command, arg, value)?;
        let name: StringDeserializer<ValueError> = name.replace('-', "_").into_deserializer();
        T::deserialize(name).map_err(|e| clap::Error::raw(clap::error::ErrorKind::InvalidValue, e))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(values::<T>().into_iter()))
    }
}

/// How a `snake_case` name is spelled on the command line.
#[must_use]
pub fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

/// What clap may take for `T`.
fn values<T: DeserializeOwned>() -> Vec<PossibleValue> {
    variants::<T>().iter().map(|&name| PossibleValue::new(kebab(name)).alias(name)).collect()
}

/// The variant names of the enum `T`, as serde spells them; empty if `T` is no enum.
fn variants<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // Always an error: the deserialiser only listens to what is asked of it.
    let _ = T::deserialize(VariantNames(&mut names));
    names
}

/// A deserialiser without any data: it notes the variants that an enum asks for, and fails.
struct VariantNames<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for VariantNames<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
        Err(ValueError::custom("there is no value here"))
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, variants: &'static [&'static str], _: V) -> Result<V::Value, ValueError> {
        *self.0 = variants;
        Err(ValueError::custom("there is no value here"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::ScheduleKind;

    #[test]
    fn variants_are_read_off_the_enum() {
        assert_eq!(variants::<ScheduleKind>(), ["one_cycle", "cosine", "plateau", "constant"]);
        assert!(variants::<u8>().is_empty());
    }

    #[test]
    fn both_spellings_parse_and_others_do_not() {
        let command = clap::Command::new("test");
        let parse = |text: &str| Choice::<ScheduleKind>::new().parse_ref(&command, None, OsStr::new(text));
        assert_eq!(parse("one-cycle").ok(), Some(ScheduleKind::OneCycle));
        assert_eq!(parse("one_cycle").ok(), Some(ScheduleKind::OneCycle));
        assert!(parse("triangle").is_err());
    }
}
