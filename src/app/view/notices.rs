//! Messages that stay until they are read, at the lower right, and the hint while files hover over the window.

use egui::{Align2, Area, Context, Frame, Id, Order, RichText, Stroke, vec2};

use crate::app::action::Action;
use crate::app::state::{Notice, NoticeKind};
use crate::app::theme;

/// The most notices that are shown at once; older ones wait.
const SHOWN: usize = 4;

/// Shows the notices, the newest at the bottom.
pub fn show(context: &Context, notices: &[Notice], actions: &mut Vec<Action>) {
    if notices.is_empty() {
        return;
    }
    Area::new(Id::unique("notices")).order(Order::Foreground).anchor(Align2::RIGHT_BOTTOM, vec2(-14.0, -14.0)).show(context, |ui| {
        ui.set_max_width(400.0);
        if notices.len() > SHOWN {
            ui.label(theme::muted(ui, format!("{} more", notices.len() - SHOWN)));
        }
        for notice in notices.iter().rev().take(SHOWN).rev() {
            let palette = theme::palette(ui.visuals());
            let (sign, colour, frame) = match notice.kind {
                NoticeKind::Failure => ("⚠", palette.bad, theme::failure_frame(&palette)),
                NoticeKind::Info => ("ℹ", palette.accent, Frame::popup(ui.style())),
            };
            frame.show(ui, |ui| {
                ui.horizontal_top(|ui| {
                    ui.label(RichText::new(sign).color(colour).size(15.0));
                    ui.vertical(|ui| {
                        ui.set_max_width(320.0);
                        ui.label(RichText::new(&notice.text).color(palette.text));
                    });
                    if theme::icon_button(ui, "✖", "Close notice").clicked() {
                        actions.push(Action::Dismiss(notice.id));
                    }
                });
            });
        }
    });
}

/// Says what a drop would do, while files hover over the window.
pub fn drop_hint(context: &Context) {
    if context.input(|i| i.raw.hovered_files.is_empty()) {
        return;
    }
    let screen = context.content_rect();
    Area::new(Id::unique("drop hint")).order(Order::Tooltip).fixed_pos(screen.min).interactable(false).show(context, |ui| {
        let palette = theme::palette(ui.visuals());
        let painter = ui.painter();
        painter.rect_filled(screen, 0.0, palette.background.gamma_multiply(0.75));
        painter.rect_stroke(screen.shrink(10.0), 10.0, Stroke::new(3.0, palette.accent), egui::StrokeKind::Inside);
        let place = egui::Rect::from_center_size(screen.center(), vec2(screen.width() - 60.0, 80.0));
        ui.scope_builder(egui::UiBuilder::new().max_rect(place), |ui| {
            ui.vertical_centered(|ui| {
                ui.label(RichText::new("Drop it anywhere").size(24.0).strong());
                ui.label(
                    "Pictures and FITS files are classified, one or many or folders of them; a data folder is opened, \
                          Galaxy10's .h5 file is imported, a model file or a run is the model.",
                );
            });
        });
    });
}
