//! The user's choice of a device, as it is spelled in `config.json` and on the command line.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where to compute: `auto`, `cpu`, `cuda` (the first device), `cuda:N`, or `host`, `host:MIB`, `host:MIB:CALLS` (for tests).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DeviceChoice {
    /// The first CUDA device if there is one that can be used, else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The CUDA device of this number, from 0.
    Cuda(u16),
    /// The kernels of the devices, compiled by the system's C++ compiler and run on the processor: very slow, for tests and the self-test.
    Host(Twin),
}

/// What is wrong with the card that the processor plays, for tests of what a run does then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Twin {
    /// Its memory, MiB; 0 means enough. All runs of a program that name the same number share it, as they share a card.
    pub memory: u32,
    /// Operations after which it is lost; 0 means never.
    pub calls: u32,
}

impl DeviceChoice {
    /// The twin with nothing wrong.
    pub const HOST: Self = Self::Host(Twin { memory: 0, calls: 0 });
}

impl Display for DeviceChoice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            // as older programs spell it
            Self::Cuda(0) => f.write_str("cuda"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Host(Twin { memory: 0, calls: 0 }) => f.write_str("host"),
            Self::Host(Twin { memory, calls: 0 }) => write!(f, "host:{memory}"),
            Self::Host(Twin { memory, calls }) => write!(f, "host:{memory}:{calls}"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.strip_prefix("cuda:").and_then(|number| number.parse().ok());
        let twin = |text: &str| {
            let limits = text.strip_prefix("host:")?;
            let (memory, calls) = limits.split_once(':').unwrap_or((limits, "0"));
            Some(Self::Host(Twin { memory: memory.parse().ok()?, calls: calls.parse().ok()? }))
        };
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "host" => Ok(Self::HOST),
            _ => number(text)
                .map(Self::Cuda)
                .or_else(|| twin(text))
                .ok_or_else(|| format!("there is no device {text:?}; choose auto, cpu, cuda or cuda:N")),
        }
    }
}

impl Serialize for DeviceChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written() {
        for (choice, text) in [
            (DeviceChoice::Auto, "\"auto\""),
            (DeviceChoice::Cpu, "\"cpu\""),
            (DeviceChoice::Cuda(0), "\"cuda\""),
            (DeviceChoice::Cuda(3), "\"cuda:3\""),
            (DeviceChoice::HOST, "\"host\""),
            (DeviceChoice::Host(Twin { memory: 64, calls: 0 }), "\"host:64\""),
            (DeviceChoice::Host(Twin { memory: 0, calls: 900 }), "\"host:0:900\""),
        ] {
            assert_eq!(serde_json::to_string(&choice).ok().as_deref(), Some(text));
            assert_eq!(serde_json::from_str::<DeviceChoice>(text).ok(), Some(choice));
        }
        assert_eq!("cuda:0".parse(), Ok(DeviceChoice::Cuda(0)));
        for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:99999", "host:", "host:1:x"] {
            assert!(wrong.parse::<DeviceChoice>().is_err_and(|e| e.contains("choose auto, cpu")), "{wrong}");
        }
    }
}
