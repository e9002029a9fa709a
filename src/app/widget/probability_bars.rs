//! Names with a probability each, as horizontal bars.

use egui::{Align2, Color32, FontId, Rect, Response, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::app::theme;

/// Shows one bar a row, in the order given; the first is set off as the answer.
pub fn show(ui: &mut Ui, bars: &[(String, f32)]) -> Response {
    let palette = theme::palette(ui.visuals());
    let font = FontId::proportional(12.0);
    let width = |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER).size().x;
    let names = bars.iter().map(|(name, _)| width(name)).fold(0.0, f32::max).min(ui.available_width() * 0.45);
    let enabled = ui.is_enabled();
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        for (rank, (name, p)) in bars.iter().enumerate() {
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::BAR), Sense::hover());
            let percent = format!("{:.1} %", 100.0 * p);
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, enabled, format!("{name}: {percent}")));
            let (colour, text) =
                if rank == 0 { (palette.accent, palette.text) } else { (palette.accent.gamma_multiply(0.55), palette.muted) };
            let mut job = egui::text::LayoutJob::simple_singleline(name.clone(), font.clone(), text);
            job.wrap = egui::text::TextWrapping::truncate_at_width(names);
            let galley = ui.painter().layout_job(job);
            ui.painter().galley(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, text);
            let rail =
                Rect::from_min_max(pos2(rect.left() + names + 8.0, rect.top() + 2.0), pos2(rect.right() - 50.0, rect.bottom() - 2.0));
            ui.painter().rect_filled(rail, 3.0, palette.field);
            let bar = Rect::from_min_size(rail.min, vec2((rail.width() * p.clamp(0.0, 1.0)).max(2.0), rail.height()));
            ui.painter().rect_filled(bar, 3.0, colour);
            ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, percent, font.clone(), text);
        }
    })
    .response
}

/// Shows two probabilities a row, one below the other, under the names of who says them.
pub fn show_pairs(ui: &mut Ui, names: [&str; 2], rows: &[(&str, [f32; 2])]) -> Response {
    const GAP: f32 = 2.0;
    let palette = theme::palette(ui.visuals());
    let colours = [palette.accent, palette.good];
    let font = FontId::proportional(12.0);
    let enabled = ui.is_enabled();
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.horizontal_wrapped(|ui| {
            for (name, colour) in names.into_iter().zip(colours) {
                ui.colored_label(colour, name);
            }
        });
        let width = ui.available_width();
        for (class, pair) in rows {
            let (rect, response) = ui.allocate_exact_size(vec2(width, 2.0 * 9.0 + GAP), Sense::hover());
            let percents = pair.map(|p| format!("{:.1} %", 100.0 * p));
            response.widget_info(|| {
                let [first, second] = &percents;
                WidgetInfo::labeled(egui::Role::Label, enabled, format!("{class}: {first} and {second}"))
            });
            let mut job = egui::text::LayoutJob::simple_singleline((*class).to_owned(), font.clone(), palette.text);
            job.wrap = egui::text::TextWrapping::truncate_at_width(width * 0.4);
            let galley = ui.painter().layout_job(job);
            ui.painter().galley(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, palette.text);
            for (number, p) in pair.iter().enumerate() {
                let top = rect.top() + number as f32 * (9.0 + GAP);
                let rail = Rect::from_min_max(pos2(rect.left() + width * 0.4 + 8.0, top), pos2(rect.right() - 50.0, top + 9.0));
                ui.painter().rect_filled(rail, 2.0, palette.field);
                let bar = Rect::from_min_size(rail.min, vec2((rail.width() * p.clamp(0.0, 1.0)).max(2.0), rail.height()));
                ui.painter().rect_filled(bar, 2.0, colours[number]);
                let (at, small) = (pos2(rect.right(), top + 4.5), FontId::proportional(10.0));
                ui.painter().text(at, Align2::RIGHT_CENTER, &percents[number], small, palette.muted);
            }
        }
    })
    .response
}
