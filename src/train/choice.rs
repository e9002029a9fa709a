//! The user's choice of a device, as it is spelled in `config.json` and on the command line.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where to compute: `auto`, `cpu`, `cuda` (the first device), `cuda:N`, or `host` (for tests).
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
    Host,
}

impl Display for DeviceChoice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            // as older programs spell it
            Self::Cuda(0) => f.write_str("cuda"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Host => f.write_str("host"),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.strip_prefix("cuda:").and_then(|number| number.parse().ok());
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "host" => Ok(Self::Host),
            _ => number(text).map(Self::Cuda).ok_or_else(|| format!("there is no device {text:?}; choose auto, cpu, cuda or cuda:N")),
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
            (DeviceChoice::Host, "\"host\""),
        ] {
            assert_eq!(serde_json::to_string(&choice).ok().as_deref(), Some(text));
            assert_eq!(serde_json::from_str::<DeviceChoice>(text).ok(), Some(choice));
        }
        assert_eq!("cuda:0".parse(), Ok(DeviceChoice::Cuda(0)));
        for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:99999"] {
            assert!(wrong.parse::<DeviceChoice>().is_err_and(|e| e.contains("choose auto, cpu")), "{wrong}");
        }
    }
}
