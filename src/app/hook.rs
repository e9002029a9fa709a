//! For end-to-end tests: where every labelled widget is. Off unless `TUNING_FORK_TEST_HOOK` names a file.
//!
//! The file is one JSON array of `{"label", "role", "value", "disabled", "focused", "x", "y", "width", "height"}` in pixels of the window, written again
//! (to a temporary name, then renamed) whenever it changes.

use std::path::{Path, PathBuf};

use egui::accesskit::TreeUpdate;
use egui::{Context, FullOutput, Plugin};
use serde_json::json;

/// The variable that names the file.
const VARIABLE: &str = "TUNING_FORK_TEST_HOOK";

/// Switches the hook on if the environment asks for it.
pub fn install(context: &Context) {
    if let Some(path) = std::env::var_os(VARIABLE) {
        context.enable_accesskit();
        context.add_plugin(Hook { path: path.into(), last: String::new() });
    }
}

struct Hook {
    path: PathBuf,
    last: String,
}

impl Plugin for Hook {
    fn debug_name(&self) -> &'static str {
        "test hook"
    }

    fn output_hook(&mut self, context: &Context, output: &mut FullOutput) {
        // a screen reader that goes away switches this off; the test still needs it
        context.enable_accesskit();
        let Some(update) = &output.platform_output.accesskit_update else { return };
        let text = describe(update, context.pixels_per_point());
        if text != self.last
            && let Err(error) = write(&self.path, &text)
        {
            tracing::warn!("the test hook cannot write {}: {error}", self.path.display());
        }
        self.last = text;
    }
}

fn describe(update: &TreeUpdate, scale: f32) -> String {
    let scale = f64::from(scale);
    let name = |id| update.nodes.iter().find(|(other, _)| *other == id).and_then(|(_, node)| node.label().or(node.value()));
    let widgets: Vec<_> = update
        .nodes
        .iter()
        .filter_map(|(id, node)| {
            let bounds = node.bounds()?;
            let label = node.label().map(str::to_owned).or_else(|| node.labelled_by().iter().find_map(|id| name(*id)).map(str::to_owned));
            Some(json!({
                "label": label, "role": format!("{:?}", node.role()), "value": node.value(), "disabled": node.is_disabled(), "focused": *id == update.focus,
                "x": bounds.x0 * scale, "y": bounds.y0 * scale,
                "width": (bounds.x1 - bounds.x0) * scale, "height": (bounds.y1 - bounds.y0) * scale,
            }))
        })
        .collect();
    serde_json::Value::Array(widgets).to_string()
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension("partial");
    std::fs::write(&temporary, text)?;
    std::fs::rename(temporary, path)
}
