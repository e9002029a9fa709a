//! The app: drains tasks and events, shows the panels, applies what they ask for. Free of eframe's frame, so that tests can
//! show it in any `Ui`.

use std::path::PathBuf;
use std::time::Instant;

use egui::{CentralPanel, Context, Panel, Ui};
use egui_tiles::Tree;

use super::action::Action;
use super::import::Importing;
use super::keys;
use super::layout::{Pane, Panels};
use super::mirror::Mirroring;
use super::pile_worker::PileWorker;
use super::saved::{Appearance, Saved};
use super::state::{DataKey, NoticeKind, State};
use super::tasks::Tasks;
use super::theme;
use super::thumbnails::Thumbnails;
use super::view::{Above, Views};
use crate::search;
use crate::train::{Command, Handle};

/// How long a notice about something that went well stays.
const INFO_SECONDS: f64 = 6.0;

/// The window's contents.
pub struct TuningForkApp {
    pub(super) state: State,
    pub(super) layout: Tree<Pane>,
    pub(super) appearance: Appearance,
    pub(super) views: Views,
    pub(super) tasks: Tasks,
    pub(super) thumbnails: Thumbnails,
    /// Where runs are kept.
    pub(super) runs_folder: PathBuf,
    /// Where labels and tags are kept that cannot be kept beside the data.
    pub(super) marks_folder: Option<PathBuf>,
    /// The worker that classifies many pictures, while it is at it.
    pub(super) pile_worker: Option<PileWorker>,
    /// The mirror of runs in MLflow, while it is on.
    pub(super) mirroring: Option<Mirroring>,
    /// The run's other end, while it goes on.
    pub(super) handle: Option<Handle>,
    /// Where searches are kept.
    pub(super) searches_folder: PathBuf,
    /// The search's other end, while it goes on.
    pub(super) search_handle: Option<search::Handle>,
    pub(super) context: Context,
    /// What the form asked for last, so that only a change of it opens anything.
    pub(super) followed: Option<DataKey>,
    pub(super) notices_made: u64,
    pub(super) data_opened: u64,
    pub(super) runs_made: u64,
    /// The text size that is shown, to tell a choice in the bar from the keys that egui reads itself.
    scale_shown: f32,
    /// When the oldest notice about something that went well came.
    info_since: Option<(u64, f64)>,
}

impl TuningForkApp {
    /// A window as it was left, or a fresh one. The last data set starts to open in the background.
    #[must_use]
    pub fn new(context: &Context, saved: Option<Saved>) -> Self {
        theme::apply(context);
        let saved = saved.unwrap_or_default();
        context.set_zoom_factor(saved.appearance.scale);
        let mut app = Self {
            state: State { config: saved.config, presets: saved.presets, tour: (!saved.toured).then_some(0), ..State::default() },
            layout: saved.layout,
            appearance: saved.appearance,
            views: saved.views,
            tasks: Tasks::new(context.clone()),
            thumbnails: Thumbnails::new(context.clone()),
            runs_folder: PathBuf::from("runs"),
            marks_folder: crate::data::marks_folder(),
            pile_worker: None,
            mirroring: None,
            handle: None,
            searches_folder: PathBuf::from("searches"),
            search_handle: None,
            context: context.clone(),
            followed: None,
            notices_made: 0,
            data_opened: 0,
            runs_made: 0,
            scale_shown: saved.appearance.scale,
            info_since: None,
        };
        app.follow_form();
        app.restore_model(saved.model);
        app.mirror(saved.mirror.and_then(|target| target.parse().ok()));
        app
    }

    /// Keeps new runs in `folder`; without this they are kept in `runs` in the working directory, as the command line does.
    pub fn keep_runs_in(&mut self, folder: impl Into<PathBuf>) {
        self.runs_folder = folder.into();
        // what was mirrored so far are other runs
        let target = self.state.experiments.mirror.target.clone();
        self.mirror(target);
    }

    /// Lists the runs that are kept, so that the Train panel can offer to go on with one that a crash ended.
    pub fn look_for_interrupted(&mut self) {
        // an index is made for runs that are there, not for those to come
        if self.runs_folder.is_dir() {
            self.apply(Action::Experiments(super::experiments::Change::Refresh));
        }
    }

    /// Keeps new searches in `folder`; without this they are kept in `searches` in the working directory, as the command line does.
    pub fn keep_searches_in(&mut self, folder: impl Into<PathBuf>) {
        self.searches_folder = folder.into();
    }

    /// Keeps labels and tags that cannot be kept beside the data in `folder`; without this in the user's own folder.
    pub fn keep_marks_in(&mut self, folder: impl Into<PathBuf>) {
        self.marks_folder = Some(folder.into());
    }

    /// What is true now.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the thumbnails of all pictures in sight are there.
    #[must_use]
    pub fn thumbnails_are_complete(&self) -> bool {
        self.thumbnails.are_complete()
    }

    /// What should survive a restart.
    #[must_use]
    pub fn saved(&self) -> Saved {
        Saved {
            config: self.state.config.clone(),
            layout: self.layout.clone(),
            appearance: self.appearance,
            presets: self.state.presets.clone(),
            model: self.model_to_restore(),
            mirror: self.state.experiments.mirror.target.as_ref().map(ToString::to_string),
            toured: true,
            views: self.views.clone(),
        }
    }

    /// Takes in what tasks and the run have to tell. Reads no input: while the window is hidden this is called with the
    /// input of the last frame that was shown.
    pub fn logic(&mut self) {
        for answer in self.tasks.answers() {
            self.apply(Action::Answer(answer));
        }
        let events = self.handle.as_ref().map(Handle::drain).unwrap_or_default();
        for event in events {
            self.apply(Action::Event(Box::new(event)));
        }
        let events = self.search_handle.as_ref().map(search::Handle::drain).unwrap_or_default();
        for event in events {
            self.apply(Action::Search(super::searched::Change::Event(event)));
        }
        self.receive_pile();
        self.receive_mirror();
        self.thumbnails.receive();
        self.state.machine.refresh(Instant::now());
    }

    /// Shows the window in `ui` and carries out what was asked for in it.
    pub fn show(&mut self, ui: &mut Ui) {
        let mut actions = Vec::new();
        self.dropped_files(&mut actions);
        keys::pressed(ui.ctx(), &self.state, &mut actions);
        self.appearance();
        let palette = theme::palette(ui.visuals());
        let bar = egui::Frame::new().fill(palette.panel_head).inner_margin(egui::Margin::symmetric(12, 7));
        let appearance = &mut self.appearance;
        Panel::top("bar").frame(bar).show(ui, |ui| Views::top_bar(ui, &self.state, appearance, &mut actions));
        let frame = egui::Frame::new().fill(palette.background).inner_margin(egui::Margin::same(6));
        CentralPanel::default().frame(frame).show(ui, |ui| self.panels(ui, &mut actions));
        let above = Above { appearance: self.appearance, layout: &self.layout };
        self.views.overlays(ui, &self.state, above, &mut actions);
        // two panels may have pictures in sight, but the wishes of a frame are one list
        let mut in_sight = Vec::new();
        for action in actions {
            match action {
                Action::WantThumbnails(indices) => in_sight.extend(indices),
                action => self.apply(action),
            }
        }
        if !in_sight.is_empty() {
            self.apply(Action::WantThumbnails(in_sight));
        }
        self.follow_form();
        self.forget_old_info();
    }

    fn panels(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let Self { state, views, thumbnails, layout, .. } = self;
        let palette = theme::palette(ui.visuals());
        if let Some(pane) = state.full {
            theme::panel_frame(&palette).show(ui, |ui| {
                ui.set_min_size(ui.available_size());
                ui.horizontal(|ui| {
                    ui.heading(pane.title());
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        if ui.button("All panels").on_hover_text("Back to all panels (Escape)").clicked() {
                            actions.push(Action::Fill(None));
                        }
                    });
                });
                views.show(ui, pane, state, thumbnails, actions);
            });
            return;
        }
        let mut show = |ui: &mut Ui, pane| views.show(ui, pane, state, thumbnails, actions);
        let mut panels = Panels { show: &mut show, fill: None, palette };
        layout.ui(&mut panels, ui);
        if let Some(pane) = panels.fill {
            actions.push(Action::Fill(Some(pane)));
        }
    }

    fn appearance(&mut self) {
        let theme = if self.appearance.dark { egui::Theme::Dark } else { egui::Theme::Light };
        if self.context.theme() != theme {
            self.context.set_theme(theme);
        }
        // egui changes the size too, by Ctrl+Plus and Ctrl+Minus
        let (now, wanted) = (self.context.zoom_factor(), self.appearance.scale);
        if (now - wanted).abs() > 1e-3 {
            if (self.scale_shown - wanted).abs() < 1e-3 {
                self.appearance.scale = now;
            } else {
                self.context.set_zoom_factor(wanted);
            }
        }
        self.scale_shown = self.appearance.scale;
    }

    fn dropped_files(&self, actions: &mut Vec<Action>) {
        let paths: Vec<_> = self.context.input(|i| i.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        if !paths.is_empty() {
            actions.push(Action::Drop(paths));
        }
    }

    /// Lets a notice about something that went well go after a while.
    fn forget_old_info(&mut self) {
        let Some(id) = self.state.notices.iter().find(|notice| notice.kind == NoticeKind::Info).map(|notice| notice.id) else {
            self.info_since = None;
            return;
        };
        let now = self.context.input(|i| i.time);
        let since = match self.info_since {
            Some((same, since)) if same == id => since,
            _ => now,
        };
        self.info_since = Some((id, since));
        if now - since >= INFO_SECONDS {
            self.apply(Action::Dismiss(id));
        } else {
            self.context.request_repaint_after(std::time::Duration::from_secs_f64(INFO_SECONDS - (now - since)));
        }
    }

    /// Ends a run or a search that goes on, after its present batch, and waits until what it learned and what the user marked is on disk.
    pub fn close(&mut self) {
        // both hear it at once
        self.handle.iter().for_each(|run| run.send(Command::Stop));
        self.search_handle.iter_mut().for_each(search::Handle::close);
        let import = self.state.importing.take();
        import.iter().for_each(Importing::stop);
        self.keep_marks_now();
        self.handle = None;
        self.search_handle = None;
        import.iter().for_each(Importing::wait);
    }
}
