//! The command palette: every command by its name, found by typing some of its letters.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align2, Color32, Context, Galley, Id, Key, Modal, Modifiers, ScrollArea, Sense, TextEdit, TextStyle, Ui, pos2, vec2};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::app::action::Action;
use crate::app::commands::{self, Command, Now};
use crate::app::saved::Appearance;
use crate::app::state::State;
use crate::app::view::train::choice::Choice;
use crate::app::{theme, widget};
use crate::augment::Preset;

/// Width of the palette.
const WIDTH: f32 = 520.0;
/// Height of the list.
const HEIGHT: f32 = 340.0;
/// Height of a command.
const ROW: f32 = 26.0;

/// The palette's own state.
#[derive(Clone, Default)]
pub struct PaletteView {
    query: String,
    selected: usize,
    /// Whether it was open in the last frame.
    open: bool,
}

impl PaletteView {
    /// Shows the palette, if it is open.
    pub fn show(&mut self, context: &Context, state: &State, appearance: Appearance, actions: &mut Vec<Action>) {
        if !state.palette {
            self.open = false;
            return;
        }
        let opened = !std::mem::replace(&mut self.open, true);
        if opened {
            (self.query, self.selected) = (String::new(), 0);
        }
        let presets: Vec<_> = <Preset as Choice>::ALL.iter().map(|&(preset, name, _)| (name, preset.augmentation())).collect();
        let mut found = search(&self.query, state, Now { state, appearance, presets: &presets });
        let moved = self.keys(context, found.len());
        let frame = theme::sheet_frame(&theme::palette(&context.global_style().visuals));
        let area = Modal::default_area(Id::unique("palette")).anchor(Align2::CENTER_TOP, vec2(0.0, 70.0));
        let modal = Modal::new(Id::unique("palette")).area(area).frame(frame).show(context, |ui| {
            ui.set_width(WIDTH);
            let entered = self.field(ui, opened);
            ui.add_space(theme::GAP);
            let clicked = self.list(ui, &found, moved);
            clicked.or(entered.then_some(self.selected))
        });
        if let Some(place) = modal.inner.filter(|place| *place < found.len())
            && let Ok(action) = found.swap_remove(place).action
        {
            actions.push(Action::Palette(false));
            actions.extend(commands::place_of(&action));
            actions.push(action);
        } else if modal.should_close() {
            actions.push(Action::Palette(false));
        }
    }

    /// The field that is searched for; whether Enter was pressed in it.
    fn field(&mut self, ui: &mut Ui, opened: bool) -> bool {
        let field = TextEdit::singleline(&mut self.query).hint_text("Type what you want to do, or the number of a picture");
        let response = ui.add(field.desired_width(f32::INFINITY).margin(vec2(8.0, 6.0)));
        widget::name(ui, &response, egui::Role::TextInput, "Command");
        if opened {
            response.request_focus();
        }
        if response.changed() {
            self.selected = 0;
        }
        response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter))
    }

    /// The commands that were found; the one that was clicked.
    fn list(&self, ui: &mut Ui, found: &[Command], moved: bool) -> Option<usize> {
        if found.is_empty() {
            ui.label(theme::muted(ui, "No command has these letters in this order. Type fewer."));
        }
        let mut clicked = None;
        ScrollArea::vertical().id_salt("commands").max_height(HEIGHT).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for (place, command) in found.iter().enumerate() {
                if row(ui, command, place == self.selected, moved) {
                    clicked = Some(place);
                }
            }
        });
        clicked
    }

    /// Moves the selection by the keys; true if it moved.
    fn keys(&mut self, context: &Context, count: usize) -> bool {
        let last = count.saturating_sub(1);
        let before = self.selected.min(last);
        self.selected = context.input_mut(|i| {
            if i.consume_key(Modifiers::NONE, Key::ArrowDown) {
                if before == last { 0 } else { before + 1 }
            } else if i.consume_key(Modifiers::NONE, Key::ArrowUp) {
                if before == 0 { last } else { before - 1 }
            } else {
                before
            }
        });
        self.selected != before
    }
}

/// One command; whether it was clicked.
fn row(ui: &mut Ui, command: &Command, selected: bool, moved: bool) -> bool {
    let palette = theme::palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let enabled = command.action.is_ok();
    response.widget_info(|| {
        let words = match &command.action {
            Ok(_) => command.words.to_string(),
            Err(why) => format!("{}: {why}", command.words),
        };
        egui::WidgetInfo::selected(egui::Role::Button, enabled, selected, words)
    });
    if selected || response.hovered() {
        let fill = if selected { palette.field_hover } else { palette.field };
        ui.painter().rect_filled(rect, f32::from(theme::ROUND), fill);
    }
    if selected && moved {
        response.scroll_to_me(None);
    }
    let inside = rect.shrink2(vec2(8.0, 0.0));
    let left = line(ui, &command.words, &TextStyle::Body, if enabled { palette.text } else { palette.muted }, inside.width());
    let room = inside.width() - left.size().x - theme::SECTION_GAP;
    let right = match &command.action {
        Ok(_) => line(ui, &command.keys, &TextStyle::Monospace, palette.muted, room),
        Err(why) => line(ui, why, &TextStyle::Small, palette.muted, room),
    };
    let at = |x: f32, galley: &Galley| pos2(x, inside.center().y - galley.size().y / 2.0);
    ui.painter().galley(at(inside.left(), &left), left.clone(), palette.text);
    ui.painter().galley(at(inside.right() - right.size().x, &right), right.clone(), palette.muted);
    response.clicked() && enabled
}

/// One line of text, cut where it does not fit.
fn line(ui: &Ui, text: &str, style: &TextStyle, colour: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), style.resolve(ui.style()), colour);
    job.wrap = TextWrapping::truncate_at_width(width.max(0.0));
    ui.painter().layout_job(job)
}

/// The commands that have the letters of `query` in order, the best first; those that cannot be carried out now come last.
fn search(query: &str, state: &State, now: Now<'_>) -> Vec<Command> {
    let query = query.trim();
    let mut commands = commands::all(now);
    if query.is_empty() {
        return commands;
    }
    if let Some(index) = query.split_whitespace().find_map(|word| word.parse().ok()) {
        commands.extend(commands::of_picture(state, index));
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut scored: Vec<(bool, u32, Command)> = commands
        .into_iter()
        .filter_map(|command| {
            let score = pattern.score(Utf32Str::new(&command.words, &mut buffer), &mut matcher)?;
            Some((command.action.is_err(), score, command))
        })
        .collect();
    scored.sort_by_key(|(blocked, score, _)| (*blocked, std::cmp::Reverse(*score)));
    scored.into_iter().map(|(.., command)| command).collect()
}
