//! The frame around the window's contents: eframe, the icon, the state file.

use egui::ViewportBuilder;

use super::{Saved, TuningForkApp, hook, icon};

/// Opens the window and stays until it is closed.
///
/// The state is kept where the system keeps such things, or in the file that `TUNING_FORK_STATE` names; runs are kept in
/// `runs` in the working directory, or in the folder that `TUNING_FORK_RUNS` names.
///
/// # Errors
/// If there is no display, or the graphics driver has no OpenGL 2.1 or better.
pub fn run() -> anyhow::Result<()> {
    let options = eframe::NativeOptions {
        viewport: ViewportBuilder::default()
            .with_title("Tuning Fork")
            .with_app_id("tuning-fork")
            .with_inner_size([1280.0, 800.0])
            .with_min_inner_size([760.0, 480.0])
            .with_drag_and_drop(true)
            .with_icon(icon::icon()),
        renderer: eframe::Renderer::Glow,
        persistence_path: std::env::var_os("TUNING_FORK_STATE").map(Into::into),
        ..Default::default()
    };
    let open = |cc: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
        hook::install(&cc.egui_ctx);
        let saved = cc.storage.map(Saved::load);
        let mut app = TuningForkApp::new(&cc.egui_ctx, saved);
        if let Some(folder) = std::env::var_os("TUNING_FORK_RUNS") {
            app.keep_runs_in(folder);
        }
        app.look_for_interrupted();
        Ok(Box::new(Window(app)))
    };
    eframe::run_native("tuning-fork", options, Box::new(open)).map_err(|error| {
        anyhow::anyhow!("the window cannot be opened: {error}; without a display use `tuning-fork train`, see `tuning-fork --help`")
    })
}

struct Window(TuningForkApp);

impl eframe::App for Window {
    fn logic(&mut self, _context: &egui::Context, _frame: &mut eframe::Frame) {
        self.0.logic();
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.0.show(ui);
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        self.0.saved().store(storage);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.0.close();
    }
}
