//! Whether a database is one that we can write to: by the columns that are there, not by its version, so that one which a
//! newer MLflow brought up to date still takes what we have.

use rusqlite::Connection;

use crate::track::mlflow::MirrorError;

/// Every table that is written with every column that is written.
pub(super) const TABLES: [(&str, &[&str]); 16] = [
    ("experiments", &["experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time"]),
    (
        "runs",
        &[
            "run_uuid",
            "name",
            "source_type",
            "source_name",
            "entry_point_name",
            "user_id",
            "status",
            "start_time",
            "end_time",
            "source_version",
            "lifecycle_stage",
            "artifact_uri",
            "experiment_id",
            "deleted_time",
        ],
    ),
    ("params", &["key", "value", "run_uuid"]),
    ("tags", &["key", "value", "run_uuid"]),
    ("metrics", &["key", "value", "timestamp", "run_uuid", "step", "is_nan"]),
    ("latest_metrics", &["key", "value", "timestamp", "step", "is_nan", "run_uuid"]),
    (
        "datasets",
        &["dataset_uuid", "experiment_id", "name", "digest", "dataset_source_type", "dataset_source", "dataset_schema", "dataset_profile"],
    ),
    ("inputs", &["input_uuid", "source_type", "source_id", "destination_type", "destination_id"]),
    ("input_tags", &["input_uuid", "name", "value"]),
    ("registered_models", &["name", "creation_time", "last_updated_time", "description"]),
    ("registered_model_tags", &["key", "value", "name"]),
    (
        "model_versions",
        &[
            "name",
            "version",
            "creation_time",
            "last_updated_time",
            "description",
            "user_id",
            "current_stage",
            "source",
            "run_id",
            "status",
            "status_message",
            "run_link",
            "storage_location",
        ],
    ),
    ("model_version_tags", &["key", "value", "name", "version"]),
    ("registered_model_aliases", &["alias", "version", "name"]),
    ("experiment_tags", &["key", "value", "experiment_id"]),
    ("alembic_version", &["version_num"]),
];

/// Refuses a database that has not what we write, or wants more.
pub(super) fn check(connection: &Connection, name: &str) -> Result<(), MirrorError> {
    let refuse = |what: String| {
        let advice = "The mirror is off; take another file, or a newer version of this program";
        MirrorError::Refused(format!("{name} is no MLflow database that this program knows: {what}. {advice}"))
    };
    for (table, ours) in TABLES {
        let theirs = columns(connection, table).map_err(|error| refuse(error.to_string()))?;
        if theirs.is_empty() {
            return Err(refuse(format!("it has no table {table}")));
        }
        if let Some(missing) = ours.iter().find(|ours| !theirs.iter().any(|column| column.name == **ours)) {
            return Err(refuse(format!("its table {table} has no column {missing}")));
        }
        if let Some(more) = theirs.iter().find(|column| column.needed && !ours.contains(&column.name.as_str())) {
            return Err(refuse(format!("its table {table} wants a column {}", more.name)));
        }
    }
    Ok(())
}

struct Column {
    name: String,
    /// Whether a row must say it.
    needed: bool,
}

fn columns(connection: &Connection, table: &str) -> Result<Vec<Column>, rusqlite::Error> {
    let mut query = connection.prepare("SELECT name, \"notnull\" AND dflt_value IS NULL FROM pragma_table_info(?1)")?;
    let rows = query.query_map([table], |row| Ok(Column { name: row.get(0)?, needed: row.get(1)? }))?;
    rows.collect()
}
