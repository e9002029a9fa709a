//! Where a mirror goes: `sqlite:///mlflow.db`, `http://host:5000`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a mirror goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A database that `mlflow ui --backend-store-uri` opens.
    Database(PathBuf),
    /// A tracking server, without a slash at the end.
    Server(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let advice = || {
            format!(
                "{text:?} is no place for MLflow; write sqlite:///mlflow.db (a file here), sqlite:////home/me/mlflow.db or http://host:5000"
            )
        };
        let text = text.trim();
        // three slashes and a path from here, or four and a whole path: SQLAlchemy's way
        if let Some(path) = text.strip_prefix("sqlite:///") {
            return if path.is_empty() { Err(advice()) } else { Ok(Self::Database(path.into())) };
        }
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        // an address is shown and kept, a password should not be
        if host.is_some_and(|host| host.split('/').next().is_some_and(|host| host.contains('@'))) {
            return Err(
                "leave name and password out of the address; give them as MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD".into()
            );
        }
        match host {
            Some(host) if !host.trim_matches('/').is_empty() && !host.starts_with('/') && !host.contains(char::is_whitespace) => {
                Ok(Self::Server(text.trim_end_matches('/').to_owned()))
            }
            _ => Err(advice()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(path) => write!(f, "sqlite:///{}", path.display()),
            Self::Server(address) => f.write_str(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_mlflow_reads_them() {
        let database = |path: &str| Ok(Target::Database(path.into()));
        assert_eq!("sqlite:///mlflow.db".parse(), database("mlflow.db"));
        assert_eq!("sqlite:////data/mlflow.db".parse(), database("/data/mlflow.db"));
        assert_eq!("http://host:5000/".parse(), Ok(Target::Server("http://host:5000".into())));
        assert_eq!("https://team.example/mlflow".parse(), Ok(Target::Server("https://team.example/mlflow".into())));
        for text in ["", "mlflow.db", "sqlite:///", "sqlite://mlflow.db", "http://", "http:///x", "http://a b", "postgresql://host/db"] {
            assert!(text.parse::<Target>().is_err_and(|why| why.contains("sqlite:///mlflow.db")), "{text}");
        }
        let refused = "http://me:secret@host:5000".parse::<Target>().expect_err("a password");
        assert!(refused.contains("MLFLOW_TRACKING_PASSWORD") && !refused.contains("secret"), "{refused}");
        assert_eq!("sqlite:////data/mlflow.db".parse::<Target>().map(|target| target.to_string()), Ok("sqlite:////data/mlflow.db".into()));
    }
}
