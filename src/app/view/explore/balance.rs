//! How many pictures each class has in the parts of the split.

use egui::{Align2, Color32, FontId, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::PARTS;
use crate::app::state::Data;
use crate::app::theme;
use crate::app::view::words;

/// Each class with its images in the three parts, as stacked bars with numbers.
pub fn show(ui: &mut Ui, data: &Data) {
    let palette = theme::palette(ui.visuals());
    let colours = [palette.train, palette.valid, palette.test];
    ui.horizontal(|ui| {
        for ((_, name), colour) in PARTS.iter().zip(colours) {
            let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
            ui.painter().rect_filled(rect, 2.0, colour);
            ui.label(theme::muted(ui, *name));
        }
    });
    let font = FontId::proportional(12.0);
    let widest = |ui: &Ui, name: &String| ui.painter().layout_no_wrap(name.clone(), font.clone(), Color32::PLACEHOLDER).size().x;
    let names = data.set.classes.iter().map(|name| widest(ui, name)).fold(0.0, f32::max).min(ui.available_width() * 0.35);
    let most = data.balance.iter().map(|parts| parts.iter().sum::<usize>()).max().unwrap_or(1).max(1);
    ui.spacing_mut().item_spacing.y = 4.0;
    for (name, parts) in data.set.classes.iter().zip(&data.balance) {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::BAR), Sense::hover());
        let [train, valid, test] = *parts;
        let words = format!("{name}: {train} train, {valid} validation, {test} test");
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &words));
        let mut job = egui::text::LayoutJob::simple_singleline(name.clone(), font.clone(), palette.text);
        job.wrap = egui::text::TextWrapping::truncate_at_width(names);
        let galley = ui.painter().layout_job(job);
        ui.painter().galley(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, palette.text);
        let rail = Rect::from_min_max(rect.min + vec2(names + 8.0, 2.0), rect.max - vec2(140.0, 2.0));
        let mut left = rail.left();
        for (&n, colour) in parts.iter().zip(colours) {
            let width = rail.width() * n as f32 / most as f32;
            ui.painter().rect_filled(Rect::from_min_size(pos2(left, rail.top()), vec2(width, rail.height())), 0.0, colour);
            left += width;
        }
        let numbers = format!("{} / {} / {}", words::thousands(train), words::thousands(valid), words::thousands(test));
        ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, numbers, font.clone(), palette.muted);
        response.on_hover_text(words);
    }
}
