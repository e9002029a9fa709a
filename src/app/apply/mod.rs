//! The one place where actions are applied: state, tasks and the run change here and nowhere else.

mod data;
mod experiments;
mod explore;
mod familiar;
mod import;
mod inspect;
mod lab;
mod map_batch;
mod marks;
mod mirror;
mod model;
mod models;
mod panicked;
mod pile;
mod review;
mod rival;
mod run;
mod search;
mod trust;

use egui::{ColorImage, TextureHandle, TextureOptions};

use super::action::Action;
use super::layout::Pane;
use super::pile::PileAction;
use super::state::{Notice, NoticeKind, Picture};
use super::tasks::{Answer, Kind};
use super::{TuningForkApp, dialogs, work};
use crate::imaging::Image;

/// The largest side of a picture's texture, pixels; larger ones are scaled down to be shown.
const TEXTURE_SIDE: usize = 1024;
/// The most notices that are kept.
const NOTICES: usize = 30;

impl TuningForkApp {
    /// Carries out one action.
    pub fn apply(&mut self, action: Action) {
        match action {
            Action::Configure(config) => self.configure(*config),
            Action::OpenData(folder) => self.open_folder(&folder),
            Action::UseSynthetic => self.use_synthetic(),
            Action::BrowseData => self.browse(|dialog| Answer::DataChosen(dialog.set_title("Open a data folder").pick_folder())),
            Action::Import(action) => self.import(action),
            Action::Review(change) => self.review(change),
            Action::Start => self.start_run(),
            Action::GoOn(folder, device) => self.go_on(folder, device),
            Action::Pause => self.command(crate::train::Command::Pause),
            Action::Resume => self.command(crate::train::Command::Resume),
            Action::Stop => self.command(crate::train::Command::Stop),
            Action::DismissRun => {
                if let Some(run) = &mut self.state.run {
                    run.dismissed = true;
                }
            }
            Action::OpenPicture(index) => self.open_large(index),
            Action::ClosePicture => {
                self.tasks.cancel(Kind::Opened);
                self.state.opened = None;
            }
            Action::ShowInExplore { title, indices } => self.show_in_explore(title, indices),
            Action::Explore(change) => self.change_explored(change),
            Action::Experiments(change) => self.experiments(change),
            Action::Search(change) => self.search(change),
            Action::WantThumbnails(indices) => {
                if let Some(data) = &self.state.data {
                    self.thumbnails.want(&data.set, data.generation, &indices);
                }
            }
            Action::ClassifyImage(index) => self.classify_image(index),
            Action::ClassifyFile(path) => self.classify_file(path),
            Action::BrowsePicture => self.browse(|dialog| {
                let dialog = dialog.set_title("Classify pictures").add_filter("pictures", &crate::imaging::EXTENSIONS);
                Answer::PicturesChosen(dialog.pick_files().unwrap_or_default())
            }),
            Action::LoadModel(path) => self.load_model(Some(path)),
            Action::BrowseModel => self.browse(|dialog| {
                let dialog = dialog.set_title("Choose a model").add_filter("models", &["safetensors"]);
                Answer::ModelChosen(dialog.pick_file())
            }),
            Action::FollowRun => self.load_model(None),
            Action::Inspect(action) => self.inspect(action),
            Action::Pile(action) => self.pile(action),
            Action::Drop(paths) => self.take_dropped(paths),
            Action::Show(pane) => self.show_pane(pane),
            Action::Fill(pane) => self.state.full = pane,
            Action::Turn(page) => {
                self.views.turn(page);
                self.show_pane(page.pane());
            }
            Action::Press(press) => {
                self.views.press(press, &self.state);
                self.apply(Action::Turn(press.page()));
            }
            Action::Help(open) => self.state.help = open,
            Action::Lab(action) => self.lab(action),
            Action::Presets(action) => self.change_presets(action),
            Action::Undo => self.undo(),
            Action::Appearance(appearance) => self.appearance = appearance,
            Action::Palette(open) => self.state.palette = open,
            Action::Tour(step) => self.tour(step),
            Action::ResetLayout => self.reset_layout(),
            Action::Dismiss(id) => self.state.notices.retain(|notice| notice.id != id),
            Action::Answer(answer) => self.take_answer(answer),
            Action::Event(event) => self.take_event(*event),
        }
    }

    fn take_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Data(key, result) => self.take_data(&key, result),
            Answer::Run(result) => self.take_run(result),
            Answer::Model(chosen, result) => self.take_model(chosen, result),
            Answer::Subject(result) => self.take_subject(result),
            Answer::Verdict(result) => self.take_verdict(result),
            Answer::Dropped(model, dropped) => {
                self.take_dropped_model(model);
                self.take_sorted(dropped);
            }
            Answer::TableChosen(format, path) => {
                if let Some(path) = path {
                    self.pile(PileAction::SaveTo(format, path));
                }
            }
            Answer::TableSaved(result) => self.take_table_saved(result),
            Answer::Inspect(answer) => self.take_inspected(answer),
            Answer::Opened(result) => self.take_opened(result),
            Answer::Sheet(result) => self.take_sheet(result),
            Answer::Sweep(kind, result) => self.take_sweep(kind, *result),
            Answer::Survey(class, result) => self.take_survey(class, result),
            Answer::Review(answer) => self.take_review(answer),
            Answer::Distances(generation, distances) => self.take_distances(generation, distances),
            Answer::Panicked(kind, words) => self.take_panicked(kind, &words),
            Answer::Experiments(answer) => self.take_experiments(answer),
            Answer::Search(answer) => self.take_search(answer),
            Answer::DataChosen(path) => {
                if let Some(path) = path {
                    self.open_folder(&path);
                }
            }
            Answer::ImportChosen(action) => {
                if let Some(action) = action {
                    self.import(action);
                }
            }
            Answer::Imported(imported) => self.take_imported(imported),
            Answer::PicturesChosen(paths) => self.take_dropped(paths),
            Answer::Explore(found) => self.take_found(found),
            Answer::ModelChosen(path) => {
                if let Some(path) = path {
                    self.load_model(Some(path));
                }
            }
        }
    }

    fn show_pane(&mut self, pane: Pane) {
        self.layout.make_active(|_, tile| matches!(tile, egui_tiles::Tile::Pane(p) if *p == pane));
        if self.state.full.is_some() {
            self.state.full = Some(pane);
        }
    }

    fn open_large(&mut self, index: usize) {
        let Some(data) = self.state.data.as_ref().filter(|data| index < data.set.len()) else { return };
        let set = std::sync::Arc::clone(&data.set);
        self.state.lab.explored = Some(index);
        self.state.opened = Some(super::state::Opened { index, picture: None });
        self.start_task(Kind::Opened, move || Answer::Opened(work::read_picture(&set, index)));
    }

    fn take_opened(&mut self, result: Result<Image, String>) {
        let picture = result.map(|image| self.picture(image));
        if let Some(opened) = &mut self.state.opened {
            opened.picture = Some(picture);
        }
    }

    /// Puts a picture on the graphics card.
    fn picture(&self, image: Image) -> Picture {
        let shown = if image.width().max(image.height()) > TEXTURE_SIDE { &image.thumbnail(TEXTURE_SIDE) } else { &image };
        let pixels = ColorImage::from_rgb([shown.width(), shown.height()], shown.pixels());
        let texture = self.context.load_texture("picture", pixels, TextureOptions::LINEAR);
        Picture { image: std::sync::Arc::new(image), texture }
    }

    /// A small picture on the graphics card.
    fn texture(&self, image: &Image) -> TextureHandle {
        let pixels = ColorImage::from_rgb([image.width(), image.height()], image.pixels());
        self.context.load_texture("map", pixels, TextureOptions::LINEAR)
    }

    /// Shows one of the system's dialogs on another thread.
    fn browse(&mut self, show: impl FnOnce(rfd::FileDialog) -> Answer + Send + 'static) {
        if !dialogs::possible() {
            return self.notify(NoticeKind::Failure, dialogs::NO_DIALOGS.into());
        }
        self.start_task(Kind::Dialog, move || show(rfd::FileDialog::new()));
    }

    /// Starts a task; if the system has no thread for it, the user is told, and false comes back.
    fn start_task(&mut self, kind: Kind, work: impl FnOnce() -> Answer + Send + 'static) -> bool {
        let started = self.tasks.start(kind, work);
        if let Err(error) = &started {
            self.notify(NoticeKind::Failure, format!("The system has no thread for this ({error}); close other programs and try again."));
        }
        started.is_ok()
    }

    /// Tells the user something.
    pub(super) fn notify(&mut self, kind: NoticeKind, text: String) {
        // what is said again stands once, as the newest
        self.state.notices.retain(|notice| notice.text != text);
        self.notices_made += 1;
        self.state.notices.push(Notice { id: self.notices_made, kind, text });
        if self.state.notices.len() > NOTICES {
            self.state.notices.remove(0);
        }
    }
}
