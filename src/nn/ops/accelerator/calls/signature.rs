//! What the kernels take, read off their source, so that a call can be checked against it: a number of the wrong size would be
//! read as something else.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::super::kernels::{Storage, source};
use super::super::{AcceleratorError, Argument};
use super::Called;

/// The kind of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Address,
    U32,
    U64,
    F32,
    F64,
}

impl Kind {
    /// The kind of a parameter as it is declared: "const Store* z".
    fn declared(parameter: &str) -> Option<Self> {
        if parameter.contains('*') {
            return Some(Self::Address);
        }
        match parameter.split_whitespace().next()? {
            "u32" => Some(Self::U32),
            "u64" => Some(Self::U64),
            "float" => Some(Self::F32),
            "double" => Some(Self::F64),
            _ => None,
        }
    }

    fn of(argument: &Argument) -> Self {
        match argument {
            Argument::Address(_) => Self::Address,
            Argument::Unsigned(_) => Self::U32,
            Argument::Long(_) => Self::U64,
            Argument::Float(_) => Self::F32,
            Argument::Double(_) => Self::F64,
        }
    }
}

/// Every kernel's parameters, `None` for one of an unknown type.
fn signatures() -> &'static HashMap<String, Vec<Option<Kind>>> {
    static ALL: OnceLock<HashMap<String, Vec<Option<Kind>>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let source = source(Storage::F32);
        let signature = |text: &str| {
            let (name, rest) = text.split_once('(')?;
            let (parameters, _) = rest.split_once(')')?;
            Some((name.to_owned(), parameters.split(',').map(|p| Kind::declared(p.trim())).collect()))
        };
        source.split("\nKERNEL ").skip(1).filter_map(signature).collect()
    })
}

/// Refuses arguments that are not the kernel's.
pub fn check(kernel: &str, arguments: &[Argument]) -> Called {
    let wrong = |what: &str| Err(AcceleratorError::Misused(format!("kernel {kernel}: {what}")));
    let Some(parameters) = signatures().get(kernel) else { return wrong("there is none") };
    if parameters.len() != arguments.len() {
        return wrong(&format!("{} arguments instead of {}", arguments.len(), parameters.len()));
    }
    match parameters.iter().zip(arguments).position(|(parameter, argument)| *parameter != Some(Kind::of(argument))) {
        Some(at) => wrong(&format!("argument {at} is {:?} instead of {:?}", arguments[at], parameters[at])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::kernels::names;
    use super::*;

    #[test]
    fn the_parameters_of_every_kernel_are_known() {
        for name in names() {
            let parameters = &signatures()[name];
            assert!(!parameters.is_empty() && parameters.iter().all(Option::is_some), "{name}: {parameters:?}");
        }
        assert!(check("to_store", &[Argument::Address(0), Argument::Long(1), Argument::Address(0)]).is_ok());
        assert!(check("to_store", &[Argument::Address(0), Argument::Unsigned(1), Argument::Address(0)]).is_err());
        assert!(check("to_store", &[Argument::Address(0)]).is_err());
        assert!(check("no_such_kernel", &[]).is_err());
    }
}
